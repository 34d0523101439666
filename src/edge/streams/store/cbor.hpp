// SPDX-License-Identifier: Apache-2.0
// This room is what StreamManager keeps: CBOR and the messages of its protocol as values, streams
// as files of records, and the directory that holds them all. It knows no sockets and no exports.
//
// CBOR (RFC 8949), as much as the stream manager's clients speak: maps with text keys, arrays,
// texts, byte strings, integers, booleans and null, definite or not. Floats that are whole numbers
// count as integers, as one client library writes them; other floats are kept as something that is
// nothing else. Tags, a map's key that is no text, and what goes beyond the limits are refused.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace andon::edge {

struct CborLimits {
  std::size_t depth = 8;
  std::size_t items = 4096;  // values of all kinds, keys too: what bounds the memory
};

struct CborValue {
  enum class Kind { null, boolean, integer, text, bytes, array, map, other };

  Kind kind = Kind::null;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string_view text;               // of a text or of bytes: lies in the document
  std::vector<CborValue> items;        // of an array; the values of a map
  std::vector<std::string_view> keys;  // of a map, in the same order

  // Null where there is none, and for a member that is null.
  [[nodiscard]] const CborValue* find(std::string_view key) const;
};

// One value with the pieces of strings that came in chunks. `bytes` must outlive it.
class CborDocument {
 public:
  // Throws base::Error(invalid_argument): malformed, cut off, too deep, too many, bytes behind it.
  explicit CborDocument(std::string_view bytes, const CborLimits& limits = {});

  [[nodiscard]] const CborValue& root() const { return root_; }

 private:
  std::deque<std::string> joined_;
  CborValue root_;
};

// Definite lengths, shortest heads.
class CborWriter {
 public:
  CborWriter& map(std::size_t members);
  CborWriter& array(std::size_t items);
  CborWriter& text(std::string_view text);
  CborWriter& bytes(std::string_view bytes);
  CborWriter& integer(std::int64_t number);
  CborWriter& boolean(bool value);

  [[nodiscard]] const std::string& result() const { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  CborWriter& head(unsigned major, std::uint64_t argument);

  std::string out_;
};

}  // namespace andon::edge
