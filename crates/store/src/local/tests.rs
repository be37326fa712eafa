//! The order of system calls, failures between them, and what is left behind.
