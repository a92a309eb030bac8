//! A folder: the names that programs see, those on the medium, and the changes between the two.

use std::collections::BTreeMap;

use super::loss::Loss;

/// What a name stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Node {
    File(FileId),
    Folder(FolderId),
}

/// A file's place in the image.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct FileId(pub(crate) usize);

/// A folder's place in the image.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct FolderId(pub(crate) usize);

type Names = BTreeMap<String, Node>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Folder {
    live: Names,
    durable: Names,
    unsynced: Vec<Change>,
}

/// A name that now stands for something else, or for nothing.
type Change = (String, Option<Node>);

impl Folder {
    pub(crate) fn set(&mut self, name: &str, node: Option<Node>) {
        let change = (name.to_owned(), node);
        apply(&mut self.live, &change);
        self.unsynced.push(change);
    }

    /// Makes the names stable: the changes, as some may have been lost to a sync that failed.
    pub(crate) fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            apply(&mut self.durable, &change);
        }
    }

    /// Forgets what was to be made stable.
    pub(crate) fn fail_sync(&mut self) {
        self.unsynced.clear();
    }

    pub(crate) fn live(&self) -> &Names {
        &self.live
    }

    /// Returns the folder as a loss of power leaves it. A name may be any that it was since the last sync: where the last
    /// change that survives is an early one, it is as if the later ones had come before it.
    pub(crate) fn survive(&self, loss: &mut Loss<'_>) -> Self {
        let mut names = self.durable.clone();
        for change in self.unsynced.iter().filter(|_| loss.spares()) {
            apply(&mut names, change);
        }
        Self { live: names.clone(), durable: names, unsynced: Vec::new() }
    }
}

fn apply(names: &mut Names, (name, node): &Change) {
    match node {
        Some(node) => names.insert(name.clone(), *node),
        None => names.remove(name),
    };
}
