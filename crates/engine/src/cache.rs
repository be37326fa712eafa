//! A cache bounded by weight, for index pages and decoded segments.
//!
//! Two things matter here and neither is in a plain map: threads that want the same value at the
//! same time wait for one load instead of doing it twice (a restore asks for neighbours), and a
//! hit costs one short lock. Eviction gives each value a second chance (the clock algorithm).
//!
//! Invariant: the weight of what is held never exceeds the capacity by more than the one value
//! loaded last; errors are not remembered.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Values by key, forgotten when room is needed.
pub(crate) struct Cache<K, V> {
    held: Mutex<Held<K, V>>,
    capacity: usize,
}

struct Held<K, V> {
    slots: HashMap<K, Slot<V>>,
    clock: VecDeque<K>,
    weight: usize,
}

struct Slot<V> {
    value: Arc<Mutex<Option<Arc<V>>>>,
    weight: usize,
    recent: bool,
}

impl<K: Hash + Eq + Copy, V> Cache<K, V> {
    /// An empty cache that holds values up to a total weight of `capacity`.
    pub(crate) fn new(capacity: usize) -> Self {
        let held = Held {
            slots: HashMap::new(),
            clock: VecDeque::new(),
            weight: 0,
        };
        Self {
            held: Mutex::new(held),
            capacity,
        }
    }

    /// The value of `key`; loads it, with its weight, if it is not held.
    pub(crate) fn get_or_load<E>(
        &self,
        key: K,
        load: impl FnOnce() -> Result<(V, usize), E>,
    ) -> Result<Arc<V>, E> {
        let slot = self.slot(key);
        let mut value = lock(&slot);
        if let Some(value) = &*value {
            return Ok(Arc::clone(value));
        }
        match load() {
            Ok((loaded, weight)) => {
                let loaded = Arc::new(loaded);
                *value = Some(Arc::clone(&loaded));
                self.weigh(key, &slot, weight);
                Ok(loaded)
            }
            Err(error) => {
                self.drop_empty(key, &slot);
                Err(error)
            }
        }
    }

    /// The value of `key` if it is held; waits for one that is on its way.
    pub(crate) fn get(&self, key: K) -> Option<Arc<V>> {
        let slot = {
            let mut held = lock(&self.held);
            let slot = held.slots.get_mut(&key)?;
            slot.recent = true;
            Arc::clone(&slot.value)
        };
        lock(&slot).clone()
    }

    fn slot(&self, key: K) -> Arc<Mutex<Option<Arc<V>>>> {
        let mut held = lock(&self.held);
        let held = &mut *held;
        let slot = held.slots.entry(key).or_insert_with(|| {
            held.clock.push_back(key);
            Slot {
                value: Arc::default(),
                weight: 0,
                recent: false,
            }
        });
        slot.recent = true;
        Arc::clone(&slot.value)
    }

    fn weigh(&self, key: K, loaded: &Arc<Mutex<Option<Arc<V>>>>, weight: usize) {
        let mut held = lock(&self.held);
        let held = &mut *held;
        match held.slots.get_mut(&key) {
            Some(slot) if Arc::ptr_eq(&slot.value, loaded) => slot.weight = weight,
            _ => return,
        }
        held.weight += weight;
        // Each turn of the clock takes away one mark or one value, so two rounds suffice.
        for _ in 0..2 * held.clock.len() {
            if held.weight <= self.capacity {
                break;
            }
            let Some(oldest) = held.clock.pop_front() else {
                break;
            };
            match held.slots.get_mut(&oldest) {
                // A slot without weight is still being loaded.
                Some(slot) if slot.recent || slot.weight == 0 || oldest == key => {
                    slot.recent = false;
                    held.clock.push_back(oldest);
                }
                Some(slot) => {
                    held.weight -= slot.weight;
                    held.slots.remove(&oldest);
                }
                None => {}
            }
        }
    }

    fn drop_empty(&self, key: K, failed: &Arc<Mutex<Option<Arc<V>>>>) {
        let mut held = lock(&self.held);
        if held
            .slots
            .get(&key)
            .is_some_and(|slot| Arc::ptr_eq(&slot.value, failed))
        {
            held.slots.remove(&key);
            held.clock.retain(|other| *other != key);
        }
    }
}

/// Locks; what a panicking thread left in a cache is at worst an empty slot.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        convert::Infallible,
        sync::{
            Barrier,
            atomic::{AtomicUsize, Ordering},
        },
        thread,
    };

    use super::*;

    fn load(cache: &Cache<u32, u32>, key: u32) -> bool {
        let mut loaded = false;
        let value = cache
            .get_or_load(key, || {
                loaded = true;
                Ok::<_, Infallible>((key * 2, 10))
            })
            .unwrap();
        assert_eq!(*value, key * 2);
        loaded
    }

    #[test]
    fn a_value_is_loaded_once_while_there_is_room() {
        let cache = Cache::new(30);
        assert!((0..3).all(|key| load(&cache, key)));
        assert!(!(0..3).any(|key| load(&cache, key)));
    }

    #[test]
    fn weight_stays_bounded_and_what_is_used_stays() {
        let cache = Cache::new(50);
        for key in 0..1000 {
            load(&cache, key);
            load(&cache, 7_000);
            assert!(lock(&cache.held).weight <= 50);
            assert!(lock(&cache.held).slots.len() <= 5);
        }
        assert!(!load(&cache, 7_000));
    }

    #[test]
    fn an_error_is_not_remembered() {
        let cache: Cache<u32, u32> = Cache::new(30);
        assert_eq!(cache.get_or_load(1, || Err("no")), Err("no"));
        assert!(cache.get(1).is_none());
        assert!(load(&cache, 1));
    }

    #[test]
    fn threads_that_want_the_same_value_wait_for_one_load() {
        let (cache, loads, start) = (Cache::new(30), AtomicUsize::new(0), Barrier::new(4));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    start.wait();
                    cache.get_or_load(1, || {
                        loads.fetch_add(1, Ordering::SeqCst);
                        thread::yield_now();
                        Ok::<_, Infallible>(((), 1))
                    })
                });
            }
        });
        assert_eq!(loads.into_inner(), 1);
    }
}
