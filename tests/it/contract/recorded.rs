//! Bodies of real servers. (placeholder)
