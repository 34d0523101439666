// SPDX-License-Identifier: Apache-2.0
#include "edge/streams/store/cbor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "base/error/error.hpp"
#include "base/text/utf8.hpp"

namespace andon::edge {
namespace {

constexpr unsigned kUnsigned = 0;
constexpr unsigned kNegative = 1;
constexpr unsigned kBytes = 2;
constexpr unsigned kText = 3;
constexpr unsigned kArray = 4;
constexpr unsigned kMap = 5;
constexpr unsigned kSimple = 7;
constexpr unsigned kIndefinite = 31;

base::Error malformed(const std::string& why) {
  return {base::ErrorCode::invalid_argument, "the message is not CBOR as expected: " + why};
}

struct Head {
  unsigned major = 0;
  unsigned detail = 0;  // the low five bits
  std::uint64_t argument = 0;
};

class Parser {
 public:
  Parser(std::string_view bytes, const CborLimits& limits, std::deque<std::string>& joined)
      : bytes_(bytes), limits_(limits), joined_(joined) {}

  CborValue value(std::size_t depth) {
    if (depth > limits_.depth) throw malformed("it is too deep");
    count();
    const Head head = take_head();
    CborValue value;
    switch (head.major) {
      case kUnsigned:
      case kNegative:
        if (head.argument > INT64_MAX) throw malformed("a number is too large");
        value.kind = CborValue::Kind::integer;
        value.integer = static_cast<std::int64_t>(head.argument);
        if (head.major == kNegative) value.integer = -1 - value.integer;
        return value;
      case kBytes:
      case kText:
        value.kind = head.major == kText ? CborValue::Kind::text : CborValue::Kind::bytes;
        value.text = string(head);
        return value;
      case kArray:
        return array(head, depth);
      case kMap:
        return map(head, depth);
      case kSimple:
        return simple(head);
      default:
        throw malformed("tags are not possible");
    }
  }

  void end() const {
    if (at_ != bytes_.size()) throw malformed("there are bytes behind its end");
  }

 private:
  void count() {
    if (++items_ > limits_.items) throw malformed("it has too many parts");
  }

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) throw malformed("it is cut off");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }

  Head take_head() {
    const unsigned first = static_cast<unsigned char>(take(1).front());
    Head head{first >> 5U, first & 0x1fU, first & 0x1fU};
    if (head.detail < 24) return head;
    if (head.detail == kIndefinite) {
      const bool may = (head.major >= kBytes && head.major <= kMap) || head.major == kSimple;
      if (!may) throw malformed("a length is missing");
      return head;
    }
    if (head.detail > 27) throw malformed("a length is of no known form");
    head.argument = 0;
    for (const char byte : take(1U << (head.detail - 24))) {
      head.argument = (head.argument << 8U) | static_cast<unsigned char>(byte);
    }
    return head;
  }

  // Takes the break that ends something of indefinite length, if that is what is next.
  bool take_break() {
    if (at_ >= bytes_.size()) throw malformed("it is cut off");
    if (static_cast<unsigned char>(bytes_[at_]) != 0xff) return false;
    ++at_;
    return true;
  }

  std::string_view string(const Head& head) {
    std::string_view text;
    if (head.detail != kIndefinite) {
      text = take(head.argument);
    } else {
      std::string& joined = joined_.emplace_back();
      while (!take_break()) {
        count();
        const Head chunk = take_head();
        if (chunk.major != head.major || chunk.detail == kIndefinite) {
          throw malformed("a chunk of a string is something else");
        }
        joined += take(chunk.argument);
      }
      text = joined;
    }
    if (head.major == kText && !base::is_utf8(text)) throw malformed("a text is not UTF-8");
    return text;
  }

  // Whether there is another part of an array or a map of which `done` are read.
  bool has_more(const Head& head, std::size_t done) {
    return head.detail == kIndefinite ? !take_break() : done < head.argument;
  }

  CborValue array(const Head& head, std::size_t depth) {
    CborValue value;
    value.kind = CborValue::Kind::array;
    while (has_more(head, value.items.size())) value.items.push_back(this->value(depth + 1));
    return value;
  }

  CborValue map(const Head& head, std::size_t depth) {
    CborValue value;
    value.kind = CborValue::Kind::map;
    while (has_more(head, value.keys.size())) {
      count();
      const Head key_head = take_head();
      if (key_head.major != kText) throw malformed("a key is not a text");
      const std::string_view key = string(key_head);
      value.keys.push_back(key);
      value.items.push_back(this->value(depth + 1));
    }
    return value;
  }

  CborValue simple(const Head& head) {
    CborValue value;
    switch (head.detail) {
      case 20:
      case 21:
        value.kind = CborValue::Kind::boolean;
        value.boolean = head.detail == 21;
        return value;
      case 22:
      case 23:
        return value;
      case 25:
        value.kind = CborValue::Kind::other;
        return value;
      case 26:
        return number(std::bit_cast<float>(static_cast<std::uint32_t>(head.argument)));
      case 27:
        return number(std::bit_cast<double>(head.argument));
      default:
        throw malformed("a simple value is not known");
    }
  }

  static CborValue number(double given) {
    constexpr double kBeyond = 9223372036854775808.0;  // 2^63
    CborValue value;
    value.kind = CborValue::Kind::other;
    if (std::trunc(given) == given && given >= -kBeyond && given < kBeyond) {
      value.kind = CborValue::Kind::integer;
      value.integer = static_cast<std::int64_t>(given);
    }
    return value;
  }

  std::string_view bytes_;
  const CborLimits& limits_;
  std::deque<std::string>& joined_;
  std::size_t at_ = 0;
  std::size_t items_ = 0;
};

}  // namespace

const CborValue* CborValue::find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  if (found == keys.end()) return nullptr;
  const CborValue& value = items[static_cast<std::size_t>(found - keys.begin())];
  return value.kind == Kind::null ? nullptr : &value;
}

CborDocument::CborDocument(std::string_view bytes, const CborLimits& limits) {
  Parser parser(bytes, limits, joined_);
  root_ = parser.value(1);
  parser.end();
}

CborWriter& CborWriter::head(unsigned major, std::uint64_t argument) {
  unsigned bytes = 0;
  unsigned detail = static_cast<unsigned>(argument);
  if (argument >= 24) {
    const unsigned power = argument < 0x100       ? 0
                           : argument < 0x10000   ? 1
                           : argument >> 32U == 0 ? 2
                                                  : 3;
    detail = 24 + power;
    bytes = 1U << power;
  }
  out_ += static_cast<char>(static_cast<std::uint8_t>((major << 5U) | detail));
  for (unsigned i = bytes; i > 0; --i) {
    out_ += static_cast<char>(static_cast<std::uint8_t>(argument >> (8 * (i - 1))));
  }
  return *this;
}

CborWriter& CborWriter::map(std::size_t members) {
  return head(kMap, members);
}

CborWriter& CborWriter::array(std::size_t items) {
  return head(kArray, items);
}

CborWriter& CborWriter::text(std::string_view text) {
  head(kText, text.size());
  out_ += text;
  return *this;
}

CborWriter& CborWriter::bytes(std::string_view bytes) {
  head(kBytes, bytes.size());
  out_ += bytes;
  return *this;
}

CborWriter& CborWriter::integer(std::int64_t number) {
  if (number >= 0) return head(kUnsigned, static_cast<std::uint64_t>(number));
  return head(kNegative, static_cast<std::uint64_t>(-1 - number));
}

CborWriter& CborWriter::boolean(bool value) {
  return head(kSimple, value ? 21 : 20);
}

}  // namespace andon::edge
