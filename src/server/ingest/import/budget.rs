//! A bound on what one entry may read: a quote that is never closed must not take the whole file into memory.

use std::cell::Cell;
use std::io::{Error, ErrorKind, Read};
use std::rc::Rc;

/// What is left of the bytes that one entry may have. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    left: Rc<Cell<usize>>,
    whole: usize,
}

impl Budget {
    /// An entry was read; the next one has its whole budget.
    pub(super) fn renew(&self) {
        self.left.set(self.whole);
    }
}

/// A reader that fails where an entry goes past its budget.
pub(super) struct Budgeted<R> {
    inner: R,
    budget: Budget,
}

impl<R> Budgeted<R> {
    /// So many bytes an entry; read-ahead counts for the entry that is being read.
    pub(super) fn new(inner: R, whole: usize) -> Self {
        Self {
            inner,
            budget: Budget {
                left: Rc::new(Cell::new(whole)),
                whole,
            },
        }
    }

    /// The budget, to be renewed after each entry.
    pub(super) fn budget(&self) -> Budget {
        self.budget.clone()
    }
}

impl<R: Read> Read for Budgeted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.budget.left.get();
        if left == 0 {
            return Err(Error::new(
                ErrorKind::InvalidData,
                format!("an entry is longer than {} bytes", self.budget.whole),
            ));
        }
        let most = buffer.len().min(left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.budget.left.set(left - read);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_budget_reading_fails_until_it_is_renewed() {
        let mut reader = Budgeted::new(std::io::repeat(7), 10);
        let budget = reader.budget();
        let mut buffer = [0; 8];
        assert_eq!(reader.read(&mut buffer).unwrap(), 8);
        assert_eq!(reader.read(&mut buffer).unwrap(), 2);
        assert!(reader.read(&mut buffer).is_err());
        budget.renew();
        assert_eq!(reader.read(&mut buffer).unwrap(), 8);
    }
}
