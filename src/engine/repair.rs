//! A damaged store, mended: what can be read is kept, and what cannot is said.

use std::fmt;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::EngineError;
use crate::engine::EngineOptions;
use crate::engine::StoreOptions;
use crate::engine::durable::Durable;
use crate::engine::ledger::Ledger;
use crate::engine::ledger::checkpoint;
use crate::engine::log::Chunk;
use crate::store::Generation;
use crate::store::GenerationInfo;
use crate::store::Journal;
use crate::store::Lsn;
use crate::store::StoreError;
use crate::store::journal;
use crate::store::journal::Frame;
use crate::store::segment;

/// What is wrong in one place of a store.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The file, within the store.
    pub path: String,
    /// Where the damage begins.
    pub offset: u64,
    /// What is wrong, and what is lost with it.
    pub loss: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}: {}", self.path, self.offset, self.loss)
    }
}

/// Looks at every byte of a store, and where `mends` says so, keeps what can be read and drops the rest.
///
/// # Errors
///
/// There is no store; it is of a newer format; neither of its checkpoints can be read; the disk fails.
pub fn repair(
    options: EngineOptions,
    store: StoreOptions,
    mends: bool,
) -> Result<Vec<Finding>, EngineError> {
    let mut findings = Vec::new();
    let disk = Arc::clone(&store.disk);
    let said = checkpoint::read_either(&*disk, &mut |path, error| {
        let loss = format!("{error}; the copy of it is used, and nothing is lost");
        findings.push(Finding { path: path.to_owned(), offset: 0, loss });
    })?;
    let (ledger, engine, told) = Engine::begin(options, store, said)?;
    let damages = journal::salvage(&*disk, Some(ledger.id), &mut |frame: Frame| {
        if let Err(StoreError::Damaged { path, offset, fault }) =
            engine.replay(&ledger, told.began, &frame)
        {
            findings.push(Finding { path, offset, loss: fault });
        }
        Ok(())
    })?;
    let (damages, end) = damages;
    ledger.end_replay(!damages.is_empty());
    findings.extend(damages.into_iter().map(|damage| Finding {
        loss: format!(
            "{} bytes of the journal cannot be read: what they said is lost",
            damage.bytes
        ),
        path: damage.path,
        offset: damage.offset,
    }));
    for stream in ledger.streams() {
        let Some(durable) = stream.durable() else { continue };
        let chunks = stream.lock().log.chunks();
        for generation in chunks.iter().filter_map(Chunk::generation) {
            let first_index = generation.info().first_index;
            match examine(durable, generation, mends, &mut findings)? {
                Found::AsItWas => {}
                Found::Lost => stream.lock().log.replace(first_index, None),
                Found::Mended(mended) => stream.lock().log.replace(first_index, Some(mended)),
            }
        }
    }
    if mends && !findings.is_empty() {
        write_anew(&ledger, Journal::open(disk, ledger.id, end, ledger.store.durability)?)?;
    }
    Ok(findings)
}

/// What a generation is, looked at.
enum Found {
    AsItWas,
    Lost,
    Mended(Arc<Generation>),
}

/// Looks at the segments of a generation, and writes those anew that are damaged.
fn examine(
    durable: &Durable,
    generation: &Generation,
    mends: bool,
    findings: &mut Vec<Finding>,
) -> Result<Found, EngineError> {
    let disk = &*durable.ledger.store.disk;
    let (mut segments, found_before) = (Vec::new(), findings.len());
    for (path, info) in generation.paths().into_iter().zip(&generation.info().segments) {
        match segment::examine(disk, &path, Some(info)) {
            Ok(examined) if examined.is_whole() => {
                segments.push(info.clone());
                continue;
            }
            Ok(examined) => {
                let faults = examined.faults.into_iter().map(|fault| (fault.offset, fault.fault));
                let batches = examined.batches.into_iter().filter_map(|batch| {
                    let (rows, first, last) = (batch.rows, batch.first_index, batch.last_index);
                    let lost = format!("{rows} records are lost, of indices {first} to {last}");
                    batch.fault.map(|fault| (batch.offset, format!("{fault}: {lost}")))
                });
                findings.extend(faults.chain(batches).map(|(offset, loss)| Finding {
                    path: path.clone(),
                    offset,
                    loss,
                }));
            }
            Err(StoreError::TooNew { path, version, known }) => {
                return Err(StoreError::TooNew { path, version, known }.into());
            }
            Err(error) => findings.push(Finding {
                loss: format!("{error}: its {} records are lost", info.rows),
                path: path.clone(),
                offset: 0,
            }),
        }
        if mends {
            match segment::rewrite(disk, &path, Some(info)) {
                Ok(Some(mended)) => segments.push(mended),
                // Nothing of it can be read. It is kept under a name that no tool takes for a segment's.
                _ => drop(disk.rename(&path, &format!("{path}.damaged"))),
            }
        }
    }
    if !mends || findings.len() == found_before {
        return Ok(Found::AsItWas);
    }
    let rows = segments.iter().map(|info| info.rows).sum();
    let info = GenerationInfo { rows, segments, ..generation.info().clone() };
    Ok(if rows == 0 { Found::Lost } else { Found::Mended(durable.generation(info)) })
}

/// Seals what the journal alone had, and leaves the damaged journal behind.
fn write_anew(ledger: &Arc<Ledger>, journal: Journal) -> Result<(), EngineError> {
    journal.begin_file()?;
    ledger.begin(journal);
    for stream in ledger.streams() {
        stream.seal()?;
    }
    ledger.checkpoint(true)?;
    let end = ledger.journal().begin_file()?;
    ledger.journal().forget(Lsn(end.0))?;
    Ok(ledger.end()?)
}
