//! A typed client built on wire, for the command line and the tests.
