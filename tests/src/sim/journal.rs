//! What happened in a run, line by line: the same seed gives the same lines in every process and on
//! every machine, so two runs are compared by one number.

use std::fmt::{self, Write as _};

use partita_core::broker::{Effect, WriteOp};

use crate::digest::Digest;

/// Where lines go while they are made, so that a failed run leaves them.
pub type Listener = fn(&str);

/// The lines, as one number; and each of them for who listens.
#[derive(Debug)]
pub(super) struct Journal {
    digest: Digest,
    listener: Option<Listener>,
}

impl Journal {
    pub(super) fn new(listener: Option<Listener>) -> Self {
        Self {
            digest: Digest::new(),
            listener,
        }
    }

    /// Takes a line.
    pub(super) fn note(&mut self, now: u64, what: fmt::Arguments<'_>) {
        writeln!(self.digest, "{now} {what}").expect("a digest takes everything");
        if let Some(listener) = self.listener {
            listener(&format!("{now} {what}"));
        }
    }

    /// The digest of all lines so far.
    pub(super) fn digest(&self) -> u64 {
        self.digest.value()
    }
}

/// An effect in a few words, its bytes as a number.
pub(super) fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Load => "load".to_owned(),
        Effect::Read(read) => format!("{read:?}"),
        Effect::Write(write) => {
            let mut digest = Digest::new();
            for op in &write.ops {
                note_op(&mut digest, op).expect("a digest takes everything");
            }
            let (id, ops, digest) = (write.id, write.ops.len(), digest.value());
            format!("write {id}: {ops} ops {digest:016x}")
        }
    }
}

fn note_op(digest: &mut Digest, op: &WriteOp) -> fmt::Result {
    match op {
        WriteOp::PutChunk {
            log,
            base_offset,
            bytes,
        } => {
            write!(digest, "chunk {log} {base_offset}")?;
            bytes.iter().for_each(|part| digest.add(part));
        }
        WriteOp::PutPage {
            log,
            base_offset,
            bytes,
        } => {
            write!(digest, "page {log} {base_offset}")?;
            digest.add(bytes);
        }
        WriteOp::PutManifest { log, bytes } => {
            write!(digest, "manifest {log}")?;
            digest.add(bytes);
        }
        WriteOp::DeleteChunks { .. } | WriteOp::DeletePages { .. } | WriteOp::DropLog { .. } => {
            write!(digest, "{op:?}")?;
        }
    }
    Ok(())
}
