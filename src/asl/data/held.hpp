// SPDX-License-Identifier: Apache-2.0
// A document of a stored execution: in memory, in a record, or both; read from its record when
// somebody first asks. Owned by the execution's state; one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "asl/data/data.hpp"

namespace andon::asl {

// Where the records of ONE execution are read from: the host's side of engine/execution.hpp.
// Outlives the states that read from it, who share it.
class RecordSource {
 public:
  RecordSource() = default;
  RecordSource(const RecordSource&) = delete;
  RecordSource& operator=(const RecordSource&) = delete;
  virtual ~RecordSource() = default;
  // Nothing where there is no such record. What it throws goes through the step to the host.
  [[nodiscard]] virtual std::optional<std::string> read(std::string_view key) const = 0;
};

// A record as JSON. Throw base::Error(data_corrupted) for what is no JSON; the second also where
// there is none.
[[nodiscard]] std::optional<json::value> find_record(const RecordSource& source,
                                                     const std::string& key);
[[nodiscard]] json::value read_record(const RecordSource* source, const std::string& key);

class Held {
 public:
  Held() = default;
  Held(Data data) : data_(std::move(data)) {}  // NOLINT(google-explicit-constructor)
  Held(std::string key, std::shared_ptr<const RecordSource> source)
      : key_(key),
        unread_(std::make_shared<Unread>(Unread{std::move(key), std::move(source), {}})) {}

  [[nodiscard]] bool empty() const { return data_ == nullptr && unread_ == nullptr; }
  // Null where it is empty. Throws base::Error(data_corrupted).
  [[nodiscard]] const Data& get() const {
    if (unread_ == nullptr) return data_;
    if (unread_->data == nullptr) {
      unread_->data = make_data(read_record(unread_->source.get(), unread_->key));
    }
    // The analyzer takes the member's address for null here.
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn)
    return unread_->data;
  }
  // What is in memory; null also where it has not been read.
  [[nodiscard]] const Data& in_memory() const {
    // As in get().
    // NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn)
    return unread_ != nullptr ? unread_->data : data_;
  }
  // Of its record; empty: it has none of its own.
  [[nodiscard]] const std::string& key() const { return key_; }
  void stored_as(std::string key) { key_ = std::move(key); }

 private:
  // Copies share it, so that it is read once.
  struct Unread {
    std::string key;
    std::shared_ptr<const RecordSource> source;
    Data data;
  };

  Data data_;
  std::string key_;
  std::shared_ptr<Unread> unread_;
};

}  // namespace andon::asl
