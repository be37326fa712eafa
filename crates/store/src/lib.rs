//! Where bytes live: the object-store contract, its backends and decorators.
