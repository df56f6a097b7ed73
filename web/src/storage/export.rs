//! Everything that is stored, as one file: a tar archive of Kafka's own `.log` files.
//!
//! Each chunk becomes `TOPIC_ID-PARTITION/BASE_OFFSET.log`, its record batches as they are, which
//! Kafka's tools can read; each log's manifest lies beside them. Nothing is held in memory but what
//! has just been read: the browser keeps a Blob where it likes.

use bytes::Bytes;
use js_sys::{Array, Uint8Array};
use partita_core::broker::{LogId, StorageError};
use web_sys::Blob;

/// A tar archive in the making.
#[derive(Debug, Default)]
pub(super) struct Archive {
    parts: Array,
    /// Bytes in `parts` that are not in a Blob yet.
    loose: u32,
}

/// What an archive of so many bytes is gathered in, before the browser gets them.
const GATHER: u32 = 16 << 20;
const BLOCK: u32 = 512;

impl Archive {
    /// Adds a chunk.
    pub(super) fn chunk(
        &mut self,
        log: LogId,
        base_offset: i64,
        bytes: &Uint8Array,
    ) -> Result<(), StorageError> {
        self.add(&format!("{log}/{base_offset:020}.log"), bytes)
    }

    /// Adds a log's manifest.
    pub(super) fn manifest(&mut self, log: LogId, bytes: &Bytes) -> Result<(), StorageError> {
        self.add(
            &format!("{log}/manifest"),
            &Uint8Array::from(bytes.as_ref()),
        )
    }

    /// The finished archive.
    pub(super) fn finish(self) -> Result<Blob, StorageError> {
        // Two empty blocks end an archive.
        self.parts.push(&Uint8Array::new_with_length(2 * BLOCK));
        blob(&self.parts)
    }

    fn add(&mut self, name: &str, bytes: &Uint8Array) -> Result<(), StorageError> {
        let length = bytes.length();
        self.parts
            .push(&Uint8Array::from(&header(name, length)[..]));
        self.parts.push(bytes);
        let rest = length % BLOCK;
        if rest > 0 {
            self.parts.push(&Uint8Array::new_with_length(BLOCK - rest));
        }
        self.loose = self.loose.saturating_add(length).saturating_add(BLOCK);
        if self.loose >= GATHER {
            let gathered = blob(&self.parts)?;
            self.parts = Array::of1(&gathered);
            self.loose = 0;
        }
        Ok(())
    }
}

fn blob(parts: &Array) -> Result<Blob, StorageError> {
    Blob::new_with_blob_sequence(parts)
        .map_err(|error| StorageError::Other(format!("no file could be made: {error:?}")))
}

/// A file's header in the ustar form (POSIX.1-1988): text in fields of fixed width.
fn header(name: &str, length: u32) -> [u8; 512] {
    let mut header = [0; 512];
    field(&mut header, 0, name);
    field(&mut header, 100, "0000644\0");
    field(&mut header, 108, "0000000\0");
    field(&mut header, 116, "0000000\0");
    field(&mut header, 124, &format!("{length:011o}\0"));
    field(&mut header, 136, "00000000000\0");
    // The sum counts its own field as spaces.
    field(&mut header, 148, "        ");
    field(&mut header, 156, "0");
    field(&mut header, 257, "ustar\0");
    field(&mut header, 263, "00");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    field(&mut header, 148, &format!("{sum:06o}\0 "));
    header
}

fn field(header: &mut [u8; 512], at: usize, text: &str) {
    for (to, from) in header.iter_mut().skip(at).zip(text.bytes()) {
        *to = from;
    }
}
