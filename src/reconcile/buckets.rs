//! Entries on disk, shared out by a digest of their keys, so that entries of one key meet in memory without all of them being there.
//!
//! The files have no names: whatever ends the program, the system removes them.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::entry::Entry;
use crate::error::{Error, Result};

const BUCKETS: usize = 64;
const BUFFER_BYTES: usize = 16 << 10;
/// A larger bucket is shared out again before it is compared.
const MAX_BUCKET_BYTES: u64 = 8 << 20;
/// Entries that are still together then have the same key.
const MAX_DEPTH: u32 = 4;
/// The longest entry with its key takes less than half of it.
const MAX_ENTRY_BYTES: usize = 200;

pub(super) struct Buckets<E> {
    folder: PathBuf,
    depth: u32,
    max_bucket_bytes: u64,
    files: Vec<BufWriter<File>>,
    entries: std::marker::PhantomData<fn(E) -> E>,
}

impl<E: Entry> Buckets<E> {
    pub(super) fn new(folder: &Path) -> Result<Self> {
        Self::of_depth(folder, 0, MAX_BUCKET_BYTES)
    }

    fn of_depth(folder: &Path, depth: u32, max_bucket_bytes: u64) -> Result<Self> {
        let open = |_| {
            let file = tempfile::tempfile_in(folder).map_err(|cause| unusable(folder, cause))?;
            Ok(BufWriter::with_capacity(BUFFER_BYTES, file))
        };
        Ok(Self {
            folder: folder.to_owned(),
            depth,
            max_bucket_bytes,
            files: (0..BUCKETS).map(open).collect::<Result<_>>()?,
            entries: std::marker::PhantomData,
        })
    }

    pub(super) fn add(&mut self, key: E::Key, entry: E) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        (self.depth, &key).hash(&mut hasher);
        let bucket = (hasher.finish() % BUCKETS as u64) as usize;
        let mut bytes = [0; MAX_ENTRY_BYTES];
        let bytes = postcard::to_slice(&(key, entry), &mut bytes)
            .map_err(|cause| Error::bug("an entry cannot be written").cause(cause))?;
        let file = &mut self.files[bucket];
        file.write_all(&[bytes.len() as u8])
            .and_then(|()| file.write_all(bytes))
            .map_err(|cause| unusable(&self.folder, cause))
    }

    /// Hands over each key with all its entries, in no order. Stops when `go_on` says no.
    pub(super) fn each_key(
        self,
        go_on: &dyn Fn() -> bool,
        each: &mut dyn FnMut(&E::Key, &[E]),
    ) -> Result<()> {
        let Self {
            folder,
            depth,
            max_bucket_bytes,
            files,
            ..
        } = self;
        let failed = |cause| unusable(&folder, cause);
        for file in files {
            if !go_on() {
                return Ok(());
            }
            let mut file = file
                .into_inner()
                .map_err(|error| failed(error.into_error()))?;
            file.rewind().map_err(failed)?;
            let bytes = file.metadata().map_err(failed)?.len();
            let reader = BufReader::with_capacity(BUFFER_BYTES, file);
            if bytes > max_bucket_bytes && depth < MAX_DEPTH {
                let mut parts = Self::of_depth(&folder, depth + 1, max_bucket_bytes)?;
                read(reader, &folder, |key, entry| parts.add(key, entry))?;
                parts.each_key(go_on, each)?;
            } else {
                compare::<E>(reader, &folder, each)?;
            }
        }
        Ok(())
    }
}

fn compare<E: Entry>(
    reader: impl Read,
    folder: &Path,
    each: &mut dyn FnMut(&E::Key, &[E]),
) -> Result<()> {
    let mut all: Vec<(E::Key, E)> = Vec::new();
    read(reader, folder, |key, entry| {
        all.push((key, entry));
        Ok(())
    })?;
    // Stable: entries of a key stay in the order in which they were read.
    all.sort_by(|one, other| one.0.cmp(&other.0));
    let mut all = all.into_iter().peekable();
    let mut entries = Vec::new();
    while let Some((key, entry)) = all.next() {
        entries.push(entry);
        if all.peek().is_none_or(|next| next.0 != key) {
            each(&key, &entries);
            entries.clear();
        }
    }
    Ok(())
}

fn read<E: Entry>(
    mut reader: impl Read,
    folder: &Path,
    mut each: impl FnMut(E::Key, E) -> Result<()>,
) -> Result<()> {
    let failed = |cause| unusable(folder, cause);
    let mut length = [0];
    let mut bytes = [0; MAX_ENTRY_BYTES];
    loop {
        match reader.read_exact(&mut length) {
            Ok(()) => {}
            Err(end) if end.kind() == ErrorKind::UnexpectedEof => return Ok(()),
            Err(cause) => return Err(failed(cause)),
        }
        let entry = bytes
            .get_mut(..usize::from(length[0]))
            .ok_or_else(|| failed(ErrorKind::InvalidData.into()))?;
        reader.read_exact(entry).map_err(failed)?;
        let (key, entry) = postcard::from_bytes(entry)
            .map_err(|cause| failed(io::Error::new(ErrorKind::InvalidData, cause)))?;
        each(key, entry)?;
    }
}

fn unusable(folder: &Path, cause: io::Error) -> Error {
    Error::io(format!(
        "temporary files in {} cannot be written or read",
        folder.display()
    ))
    .cause(cause)
    .hint("make room there, or name another folder with --work-dir")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::super::entry::LandingEntry;
    use super::*;

    fn entry(number: u128) -> LandingEntry {
        LandingEntry::Landed {
            id: Uuid::from_u128(number),
            published: None,
        }
    }

    /// Each key comes once, with all its entries, in their order.
    fn all_meet(max_bucket_bytes: u64, keys: i64, entries: u128) {
        let mut buckets = Buckets::of_depth(&std::env::temp_dir(), 0, max_bucket_bytes).unwrap();
        let mut expected: BTreeMap<i64, Vec<LandingEntry>> = BTreeMap::new();
        for number in 0..entries {
            let key = i64::MIN + (number as i64 * 7919) % keys;
            expected.entry(key).or_default().push(entry(number));
            buckets.add(key, entry(number)).unwrap();
        }
        let mut met = BTreeMap::new();
        buckets
            .each_key(&|| true, &mut |&key, entries| {
                assert!(met.insert(key, entries.to_vec()).is_none(), "{key} again");
            })
            .unwrap();
        assert_eq!(met, expected);
    }

    #[test]
    fn entries_of_a_key_meet() {
        all_meet(MAX_BUCKET_BYTES, 500, 2_000);
    }

    #[test]
    fn buckets_that_are_too_large_are_shared_out_again() {
        all_meet(600, 1_000, 6_000);
    }

    #[test]
    fn a_key_with_more_entries_than_a_bucket_takes_still_meets() {
        all_meet(200, 2, 400);
    }

    #[test]
    fn the_longest_entry_has_room() {
        use super::super::entry::{Reading, UserEntry};
        use super::super::spans::Position;
        let mut buckets = Buckets::new(&std::env::temp_dir()).unwrap();
        let position = Position {
            partition: i32::MIN,
            offset: i64::MIN,
        };
        let longest = UserEntry::OnTopic {
            position,
            timestamp_ms: i64::MIN,
            reading: Reading::Kept([255; 16]),
            settled: true,
        };
        buckets.add(Uuid::max(), longest).unwrap();
        let mut met = Vec::new();
        let each = &mut |_: &Uuid, entries: &[UserEntry]| met.extend(entries.to_vec());
        buckets.each_key(&|| true, each).unwrap();
        assert_eq!(met, [longest]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = Path::new("/no/such/folder");
        let error = Buckets::<LandingEntry>::new(folder).err().unwrap();
        assert_eq!(error.kind().exit_code(), 74);
        let text = error.to_string();
        assert!(
            text.contains("/no/such/folder") && text.contains("--work-dir"),
            "{text}"
        );
    }
}
