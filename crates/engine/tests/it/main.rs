//! The engine against stores: what comes back, what is refused, what a crash leaves.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod collect;
#[cfg(test)]
mod copying;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod diff;
#[cfg(test)]
mod everywhere;
#[cfg(test)]
mod forget;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod growth;
#[cfg(test)]
mod interleave;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lease;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod model;
#[cfg(test)]
mod observer;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod power;
#[cfg(test)]
mod races;
#[cfg(test)]
mod repair;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod tree;
#[cfg(test)]
mod tree_faults;
#[cfg(test)]
mod volume;
#[cfg(test)]
mod world;
#[cfg(test)]
mod write_read;
