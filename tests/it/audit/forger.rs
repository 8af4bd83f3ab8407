//! Simulates an attacker with write access to the audit file and knowledge of the hash algorithm,
//! but without the key.

use std::fmt::Write as _;

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Method of rewriting records.
#[derive(Debug, Clone, Copy)]
pub enum Forger {
    /// Records of a chain without a key.
    WithoutKey,
    /// Records with the key ID from the file, and plain SHA-256 hashes instead of HMACs.
    KeepsKeyId,
}

type Edit = fn(&mut Vec<Value>);

/// Returns the edits by name. They keep the notice at the beginning of the file.
pub fn tampering_edits() -> [(&'static str, Edit); 5] {
    [
        ("a changed record", |records| records[2]["result"] = Value::from("asked")),
        ("a removed record", |records| drop(records.remove(2))),
        ("an inserted record", |records| records.insert(2, records[3].clone())),
        ("another order", |records| records.swap(2, 3)),
        ("another caller", |records| records[3]["caller"]["name"] = Value::from("somebody else")),
    ]
}

impl Forger {
    /// Edits records and recomputes all sequence numbers and hashes.
    pub fn rewrite(self, records: &[Value], edit: impl FnOnce(&mut Vec<Value>)) -> String {
        let mut records = records.to_vec();
        let key = records[0]["key"].clone();
        let first = records[0]["seq"].as_u64().unwrap();
        let mut prev = records[0]["prev"].as_str().unwrap().to_owned();
        edit(&mut records);
        let mut text = String::new();
        for (seq, mut record) in (first..).zip(records) {
            let object = record.as_object_mut().unwrap();
            for added in ["v", "seq", "key", "prev", "hash"] {
                object.shift_remove(added);
            }
            let members = record.to_string();
            let head = match self {
                Self::WithoutKey => format!("{{\"v\":1,\"seq\":{seq}"),
                Self::KeepsKeyId => format!("{{\"v\":2,\"seq\":{seq},\"key\":{key}"),
            };
            let inside = &members[1..members.len() - 1];
            let line = format!("{head},{inside},\"prev\":\"{prev}\"");
            let digest = Sha256::digest(format!("{line}}}"));
            prev.clear();
            for byte in digest {
                write!(prev, "{byte:02x}").unwrap();
            }
            writeln!(text, "{line},\"hash\":\"{prev}\"}}").unwrap();
        }
        text
    }
}
