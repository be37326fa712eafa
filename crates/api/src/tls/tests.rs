//! The certificates are good for whom they are for, and no longer than they should.
