//! Pages as they were before they were compressed.

use super::super::problem::Problem;
use super::footer::Codec;

const BROKEN: Problem = Problem::Broken("a page cannot be unpacked");

/// Unpacks pages; what it needs for that is kept from one to the next.
#[derive(Default)]
pub(super) struct Unpacker {
    #[cfg(any(feature = "worker", test))]
    zstd: ruzstd::decoding::FrameDecoder,
}

impl std::fmt::Debug for Unpacker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unpacker")
    }
}

impl Unpacker {
    /// Fills `page` with what was packed, which is said to be so many bytes.
    pub(super) fn unpack(&mut self, codec: Codec, packed: &[u8], length: usize, page: &mut Vec<u8>) -> Result<(), Problem> {
        page.clear();
        match codec {
            Codec::Plain if packed.len() == length => {
                page.try_reserve_exact(length).map_err(|_| Problem::NoMemory(0))?;
                page.extend_from_slice(packed);
                Ok(())
            }
            Codec::Plain => Err(BROKEN),
            Codec::Zstd => self.zstd(packed, length, page),
        }
    }

    /// Room is made as bytes come: a broken file may say any length.
    #[cfg(any(feature = "worker", test))]
    fn zstd(&mut self, packed: &[u8], length: usize, page: &mut Vec<u8>) -> Result<(), Problem> {
        use ruzstd::decoding::BlockDecodingStrategy::UptoBytes;
        use std::io::Read;

        /// What is unpacked before it is taken over, beside the window.
        const PIECE: usize = 1 << 20;
        /// The largest window that is believed: level 1's is half a megabyte, the highest level's 128 MB.
        const WINDOW: u64 = 8 << 20;

        let mut packed = packed;
        self.zstd.set_max_window_size(WINDOW);
        while !packed.is_empty() {
            self.zstd.init(&mut packed).map_err(|_| BROKEN)?;
            loop {
                self.zstd.decode_blocks(&mut packed, UptoBytes(PIECE)).map_err(|_| BROKEN)?;
                let (at, more) = (page.len(), self.zstd.can_collect());
                if more > length - at {
                    return Err(BROKEN);
                }
                page.try_reserve(more).map_err(|_| Problem::NoMemory(at))?;
                page.resize(at + more, 0);
                self.zstd.read_exact(&mut page[at..]).map_err(|_| BROKEN)?;
                if self.zstd.is_finished() {
                    break;
                }
            }
        }
        if page.len() == length { Ok(()) } else { Err(BROKEN) }
    }

    /// The page and the server open no files; only the worker does.
    #[cfg(not(any(feature = "worker", test)))]
    #[allow(clippy::unused_self, clippy::ptr_arg, reason = "the worker's own does more")]
    fn zstd(&mut self, _: &[u8], _: usize, _: &mut Vec<u8>) -> Result<(), Problem> {
        Err(Problem::Foreign("zstd"))
    }
}
