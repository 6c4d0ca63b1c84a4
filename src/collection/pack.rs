//! Record bytes as they are stored: one byte that names the dictionary, then a zstd frame without its four magic bytes. Never trusts
//! stored bytes about their size.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

/// Largest record that is unpacked, in bytes: the protocol's limit of 1,000,000 for a record, rounded up.
pub const MAX_UNPACKED: usize = 1 << 20;

/// No dictionary.
const PLAIN: u8 = 0;
/// zstd's own default; higher levels cost more than they give on records of a few hundred bytes.
const LEVEL: i32 = 3;
/// The first bytes of every zstd frame, of which each stored record is spared.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Why stored bytes cannot be unpacked, or bytes not packed.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    #[error("packed with dictionary {0}, which is not known")]
    Dictionary(u8),
    #[error("no packed record, or one of over {MAX_UNPACKED} bytes")]
    Size,
    #[error("zstd: {0}")]
    Zstd(#[from] std::io::Error),
}

thread_local! {
    // A zstd context is some hundred kB: one a thread, not one a record.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Packs the bytes of a record.
pub fn pack(record: &[u8]) -> Result<Vec<u8>, PackError> {
    let frame = COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(Compressor::new(LEVEL)?),
        };
        compressor.compress(record)
    })?;
    let body = frame.strip_prefix(&MAGIC).ok_or(PackError::Size)?;
    let mut packed = Vec::with_capacity(body.len() + 1);
    packed.push(PLAIN);
    packed.extend_from_slice(body);
    Ok(packed)
}

/// The bytes of a packed record.
pub fn unpack(packed: &[u8]) -> Result<Vec<u8>, PackError> {
    let (dictionary, body) = packed.split_first().ok_or(PackError::Size)?;
    if *dictionary != PLAIN {
        return Err(PackError::Dictionary(*dictionary));
    }
    let frame = [&MAGIC, body].concat();
    let size = zstd_safe::get_frame_content_size(&frame).ok().flatten().and_then(|size| usize::try_from(size).ok());
    let size = size.filter(|size| *size <= MAX_UNPACKED).ok_or(PackError::Size)?;
    let record = DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new()?),
        };
        decompressor.decompress(&frame, size)
    })?;
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_comes_back() {
        let noise: Vec<u8> = (0..256_u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for record in [vec![], vec![0xa0], vec![7; 100_000], noise] {
            let packed = pack(&record).unwrap();
            assert_eq!(packed[0], PLAIN);
            assert!(packed.len() <= record.len() + 12, "{} -> {}", record.len(), packed.len());
            assert_eq!(unpack(&packed).unwrap(), record);
        }
    }

    #[test]
    fn stored_bytes_are_not_trusted() {
        assert!(matches!(unpack(b""), Err(PackError::Size)));
        assert!(matches!(unpack(b"\x07abc"), Err(PackError::Dictionary(7))));
        assert!(matches!(unpack(&pack(&vec![0; MAX_UNPACKED + 1]).unwrap()), Err(PackError::Size)));
        let packed = pack(&[1; 300]).unwrap();
        for at in 1..packed.len() {
            let mut bytes = packed.clone();
            bytes[at] ^= 0x55;
            assert!(unpack(&bytes).is_err() || unpack(&bytes).unwrap().len() <= MAX_UNPACKED);
            assert!(unpack(&packed[..at]).is_err());
        }
    }
}
