//! Tracks the start positions of HTTP/1 request heads and bodies.

/// The position of a connection between heads and bodies.
#[derive(Debug)]
pub(super) struct Heads {
    state: State,
    /// The current line of a head, up to [`MAX_LINE`] bytes.
    line: Vec<u8>,
    /// The last byte of the current line.
    last: u8,
    /// `true` once a head has begun. Empty lines before a request are skipped (RFC 9112, section
    /// 2.2).
    has_begun: bool,
    length: u64,
    is_chunked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The HTTP/2 preface, with the number of matched bytes.
    Preface(usize),
    Head,
    /// A body, with the number of remaining bytes.
    Body(u64),
    /// The size line of a chunk: the size so far, and `true` after its last digit.
    ChunkSize(u64, bool),
    /// A chunk, with the number of remaining bytes, including the line end after it.
    Chunk(u64),
    Trailers,
    /// HTTP/2, or a head that hyper rejects.
    Unchecked,
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Maximum number of stored bytes of a line. Lines that determine the length of a body are shorter.
const MAX_LINE: usize = 1024;

impl Heads {
    pub(super) fn new() -> Self {
        Self {
            state: State::Preface(0),
            line: Vec::new(),
            last: 0,
            has_begun: false,
            length: 0,
            is_chunked: false,
        }
    }

    /// Checks the received bytes, and replaces bare line feeds in heads.
    pub(super) fn check(&mut self, arrived: &mut [u8]) {
        let mut rest = arrived;
        while !rest.is_empty() {
            let skipped = self.skip(rest.len());
            let (_, unread) = rest.split_at_mut(skipped);
            let Some((first, others)) = unread.split_first_mut() else { return };
            *first = self.step(*first);
            rest = others;
        }
    }

    /// Returns the number of these bytes that belong to a body.
    fn skip(&mut self, count: usize) -> usize {
        match &mut self.state {
            State::Unchecked => count,
            State::Body(left) | State::Chunk(left) => {
                let skipped = usize::try_from(*left).unwrap_or(usize::MAX).min(count);
                *left -= skipped as u64;
                if *left == 0 {
                    let was_chunk = matches!(self.state, State::Chunk(_));
                    self.state = if was_chunk { State::ChunkSize(0, false) } else { State::Head };
                }
                skipped
            }
            _ => 0,
        }
    }

    /// Checks one byte outside of a body. Returns the byte that replaces it.
    fn step(&mut self, byte: u8) -> u8 {
        match self.state {
            State::Preface(at) if PREFACE.get(at) == Some(&byte) => {
                let is_whole = at + 1 == PREFACE.len();
                self.state = if is_whole { State::Unchecked } else { State::Preface(at + 1) };
                byte
            }
            State::Preface(at) => {
                self.state = State::Head;
                for byte in PREFACE.iter().take(at) {
                    self.head_byte(*byte);
                }
                self.head_byte(byte)
            }
            State::ChunkSize(size, is_over) => {
                self.state = match (char::from(byte).to_digit(16), byte) {
                    (_, b'\n') if size == 0 => State::Trailers,
                    // Includes the line end after the chunk.
                    (_, b'\n') => State::Chunk(size.saturating_add(2)),
                    (Some(digit), _) if !is_over => {
                        let size = size.saturating_mul(16).saturating_add(digit.into());
                        State::ChunkSize(size, false)
                    }
                    _ => State::ChunkSize(size, true),
                };
                byte
            }
            State::Head | State::Trailers => self.head_byte(byte),
            State::Body(_) | State::Chunk(_) | State::Unchecked => byte,
        }
    }

    fn head_byte(&mut self, byte: u8) -> u8 {
        let last = std::mem::replace(&mut self.last, byte);
        if byte != b'\n' {
            if self.line.len() < MAX_LINE {
                self.line.push(byte);
            }
            return byte;
        }
        let line = std::mem::take(&mut self.line);
        let is_rejected =
            last != b'\r' || !self.line_ended(line.strip_suffix(b"\r").unwrap_or(&line));
        if is_rejected {
            self.state = State::Unchecked;
            return 0;
        }
        byte
    }

    /// Handles the end of a line. Returns `false` for a line that cannot be tracked.
    fn line_ended(&mut self, line: &[u8]) -> bool {
        if line.is_empty() {
            self.head_ended();
            return true;
        }
        if !std::mem::replace(&mut self.has_begun, true) || self.state == State::Trailers {
            return true;
        }
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (Some(name), Some(value)) = (parts.next(), parts.next()) else { return true };
        let text = std::str::from_utf8(value).unwrap_or_default().trim();
        if name.eq_ignore_ascii_case(b"content-length") {
            // hyper rejects a value that is not a number.
            self.length = text.parse().unwrap_or(0);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if line.len() + 1 >= MAX_LINE {
                return false;
            }
            let coding = text.rsplit(',').next().unwrap_or_default().trim();
            self.is_chunked = coding.eq_ignore_ascii_case("chunked");
        }
        true
    }

    fn head_ended(&mut self) {
        if self.state == State::Trailers || self.has_begun {
            self.state = match (self.state, self.is_chunked, self.length) {
                (State::Trailers, ..) | (_, false, 0) => State::Head,
                (_, true, _) => State::ChunkSize(0, false),
                (_, false, length) => State::Body(length),
            };
            (self.has_begun, self.is_chunked, self.length) = (false, false, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the checked bytes, which arrive in chunks of this size.
    fn checked(sent: &[u8], piece: usize) -> Vec<u8> {
        let (mut heads, mut sent) = (Heads::new(), sent.to_vec());
        for piece in sent.chunks_mut(piece.max(1)) {
            heads.check(piece);
        }
        sent
    }

    #[test]
    fn replaces_bare_line_feeds_in_heads_only() {
        let fixed = "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\na\n\nb";
        let chunked = "POST / HTTP/1.1\r\ntransfer-encoding: gzip, Chunked\r\n\r\n\
                       3;x=\"y\"\r\n\n\n\n\r\n1\r\nA\r\n0\r\nTrailer: x\r\n\r\n";
        let plain = "\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n";
        let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nany\nthing";
        for piece in [1, 2, 3, 7, 1000] {
            for fine in [fixed, chunked, plain, preface, &[fixed, chunked, plain, fixed].concat()] {
                assert_eq!(checked(fine.as_bytes(), piece), fine.as_bytes(), "{fine:?}");
            }
            for begin in ["", fixed, chunked, plain] {
                for wrong in [
                    "GET / HTTP/1.1\nHost: x\r\n\r\n",
                    "GET / HTTP/1.1\r\nA: b\nHost: x\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: x\r\n\n",
                    "\nGET / HTTP/1.1\r\n\r\n",
                    "PRI * HTTP/2.0\r\nA: b\n\r\n",
                ] {
                    let sent = format!("{begin}{wrong}");
                    let place = begin.len() + wrong.replace("\r\n", "..").find('\n').unwrap();
                    let mut expected = sent.clone().into_bytes();
                    expected[place] = 0;
                    assert_eq!(checked(sent.as_bytes(), piece), expected, "{sent:?} {piece}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn bodies_pass_unchanged_in_any_pieces(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..5),
            is_chunked in any::<bool>(),
            piece in 1_usize..60,
        ) {
            let mut sent = Vec::new();
            for body in &bodies {
                sent.extend(b"POST /mcp HTTP/1.1\r\nHost: x\r\n");
                if is_chunked {
                    sent.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                    for chunk in body.chunks(17) {
                        sent.extend(format!("{:X}\r\n", chunk.len()).into_bytes());
                        sent.extend(chunk);
                        sent.extend(b"\r\n");
                    }
                    sent.extend(b"0\r\n\r\n");
                } else {
                    sent.extend(format!("Content-Length: {}\r\n\r\n", body.len()).into_bytes());
                    sent.extend(body);
                }
            }
            prop_assert_eq!(checked(&sent, piece), sent.clone());
            let mut last = sent.clone();
            last.extend(b"GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n");
            let seen = checked(&last, piece);
            prop_assert_eq!(seen.iter().zip(&last).filter(|(a, b)| a != b).count(), 1);
        }
    }
}
