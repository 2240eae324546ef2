//===- Recent.h - A few values that were used last --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_RECENT_H
#define GIRIH_CAPI_RECENT_H

#include <iterator>
#include <list>
#include <memory>
#include <mutex>
#include <utility>

namespace girih::capi {

/// A cache of a few entries that launches look into: shorter than a hash table, and without
/// an allocation on a hit. Keys are compared by ==. Thread-safe.
template <typename Key, typename Value> class Recent {
public:
  explicit Recent(size_t capacity) : capacity(capacity) {}

  /// The value of `key`; null when there is none.
  std::shared_ptr<Value> find(const Key &key) {
    std::lock_guard<std::mutex> lock(mutex);
    for (auto it = entries.begin(); it != entries.end(); ++it)
      if (it->first == key) {
        entries.splice(entries.begin(), entries, it);
        return it->second;
      }
    return nullptr;
  }

  /// Adds a value unless another thread was faster; returns the one that stays. Beyond the
  /// capacity the least recently used go, which are freed when nobody uses them any more.
  std::shared_ptr<Value> insert(const Key &key, std::shared_ptr<Value> value) {
    std::list<std::pair<Key, std::shared_ptr<Value>>> dropped; // freed without the lock
    std::lock_guard<std::mutex> lock(mutex);
    for (auto &entry : entries)
      if (entry.first == key) {
        dropped.emplace_back(key, std::move(value));
        return entry.second;
      }
    entries.emplace_front(key, std::move(value));
    if (entries.size() > capacity)
      dropped.splice(dropped.end(), entries, std::prev(entries.end()));
    return entries.front().second;
  }

private:
  const size_t capacity;
  std::mutex mutex;
  std::list<std::pair<Key, std::shared_ptr<Value>>> entries; ///< most recently used first
};

} // namespace girih::capi

#endif // GIRIH_CAPI_RECENT_H
