//! Random words nobody else can know, for marking our own lines.
use std::io::Read;

/// 128 bits as hex.
pub(super) fn nonce() -> std::io::Result<String> {
    let mut bytes = [0_u8; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(bytes)))
}
