// SPDX-License-Identifier: Apache-2.0
#include "evaluate/labels/coco_stream.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <optional>

#include "base/error/error.hpp"
#include "base/text/number.hpp"

namespace andon::evaluate {
namespace {

using base::Error;
using base::ErrorCode;
using boost::system::error_code;

constexpr std::array<std::string_view, kMembers> kMemberNames{
    "id",    "image_id", "category_id", "bbox",      "area", "iscrowd",
    "score", "width",    "height",      "file_name", "name"};
constexpr std::array<std::string_view, 4> kSectionNames{"images", "annotations", "categories",
                                                        "results"};
constexpr std::size_t kMaxDepth = 32;
constexpr std::size_t kMaxNumberText = 512;
constexpr double kExactWhole = 9007199254740992.0;  // 2^53

// What Boost.JSON calls while it reads. Depth 1 is the root.
class Handler {
 public:
  // Boost.JSON's names. NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = SIZE_MAX;
  static constexpr std::size_t max_array_size = SIZE_MAX;
  static constexpr std::size_t max_key_size = SIZE_MAX;
  static constexpr std::size_t max_string_size = SIZE_MAX;
  // NOLINTEND(readability-identifier-naming)

  Handler(Document document, std::string_view name, std::size_t max_text,
          const std::function<void(const Record&)>& on_record)
      : name_(name),
        max_text_(max_text),
        on_record_(on_record),
        list_depth_(document == Document::results ? 1 : 2),
        document_(document) {}

  [[nodiscard]] unsigned seen() const { return seen_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    if (depth_ == 0 && document_ == Document::results) {
      refuse("is not a list of results ([{\"image_id\": ..., \"score\": ...}, ...])");
    }
    if (depth_ == list_depth_ - 1 && section_) refuse_section();
    if (is_in_list() && depth_ == list_depth_) {
      for (MemberValue& value : record_.members) value.kind = MemberValue::Kind::absent;
      record_.section = *section_;
      record_.index = index_;
      is_in_record_ = true;
    } else if (MemberValue* value = target()) {
      value->kind = MemberValue::Kind::other;
    } else {
      spoil_list();
    }
    ++depth_;
    return true;
  }

  bool on_object_end(std::size_t, error_code&) {
    --depth_;
    if (is_in_record_ && depth_ == list_depth_) {
      is_in_record_ = false;
      on_record_(record_);
      ++index_;
    }
    return true;
  }

  bool on_array_begin(error_code&) {
    if (depth_ == 0) {
      if (document_ == Document::annotations) {
        refuse(
            "is not COCO's annotations: it is a list, not an object with \"images\", "
            "\"annotations\" and \"categories\"");
      }
      section_ = Section::results;
      seen_ |= 1U << static_cast<unsigned>(Section::results);
    } else if (is_in_list() && depth_ == list_depth_) {
      refuse_element();
    } else if (MemberValue* value = target()) {
      value->kind = MemberValue::Kind::numbers;
      value->count = 0;
      is_in_numbers_ = true;
    } else {
      spoil_list();
    }
    ++depth_;
    return true;
  }

  bool on_array_end(std::size_t, error_code&) {
    --depth_;
    if (depth_ == list_depth_ + 1) is_in_numbers_ = false;
    return true;
  }

  bool on_key_part(std::string_view part, std::size_t, error_code&) {
    if (is_key_needed() && text_.size() <= max_text_) text_ += part;
    return true;
  }
  bool on_key(std::string_view part, std::size_t size, error_code& error) {
    on_key_part(part, size, error);
    if (document_ == Document::annotations && depth_ == 1) {
      begin_section();
    } else if (is_in_record_ && depth_ == list_depth_ + 1) {
      const auto* const found = std::find(kMemberNames.begin(), kMemberNames.end(), text_);
      member_ = found == kMemberNames.end()
                    ? std::nullopt
                    : std::optional(static_cast<std::size_t>(found - kMemberNames.begin()));
    }
    text_.clear();
    return true;
  }

  bool on_string_part(std::string_view part, std::size_t, error_code&) {
    if (target() != nullptr && text_.size() <= max_text_) text_ += part;
    return true;
  }
  bool on_string(std::string_view part, std::size_t size, error_code& error) {
    on_string_part(part, size, error);
    check_place();
    if (MemberValue* value = target()) {
      const bool fits = text_.size() <= max_text_;
      value->kind = fits ? MemberValue::Kind::text : MemberValue::Kind::other;
      if (fits) value->text = text_;
    } else {
      spoil_list();
    }
    text_.clear();
    return true;
  }

  bool on_number_part(std::string_view part, error_code&) {
    if (is_number_needed() && number_text_.size() < kMaxNumberText) number_text_ += part;
    return true;
  }
  bool on_int64(std::int64_t number, std::string_view, error_code&) {
    number_text_.clear();
    take_number(static_cast<double>(number), number);
    return true;
  }
  bool on_uint64(std::uint64_t number, std::string_view, error_code&) {
    number_text_.clear();
    take_number(static_cast<double>(number), std::nullopt);
    return true;
  }
  // Boost.JSON 1.81 rounds some doubles by a bit; scores and boxes are to be those that others
  // read.
  bool on_double(double number, std::string_view part, error_code& error) {
    on_number_part(part, error);
    if (!number_text_.empty() && number_text_.size() < kMaxNumberText) {
      if (const auto exact = base::parse_number(number_text_)) number = *exact;
    }
    number_text_.clear();
    const bool is_whole = std::abs(number) < kExactWhole && std::trunc(number) == number;
    take_number(number, is_whole ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt);
    return true;
  }
  bool on_bool(bool truth, error_code&) {
    check_place();
    if (MemberValue* value = target()) {
      value->kind = MemberValue::Kind::truth;
      value->number = truth ? 1 : 0;
    } else {
      spoil_list();
    }
    return true;
  }
  bool on_null(error_code&) {
    check_place();
    if (MemberValue* value = target()) {
      value->kind = MemberValue::Kind::absent;
    } else {
      spoil_list();
    }
    return true;
  }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} {}", name_, why));
  }
  [[noreturn]] void refuse_section() const {
    refuse(fmt::format("is not COCO's annotations: {} is not a list", to_string(*section_)));
  }
  [[noreturn]] void refuse_element() const {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: {}[{}] is not an object", name_, to_string(*section_), index_));
  }

  void begin_section() {
    section_.reset();
    for (std::size_t i = 0; i < 3; ++i) {
      if (text_ != kSectionNames[i]) continue;
      section_ = static_cast<Section>(i);
      if ((seen_ & (1U << i)) != 0) refuse(fmt::format("has \"{}\" twice", text_));
      seen_ |= 1U << i;
      index_ = 0;
    }
  }

  [[nodiscard]] bool is_in_list() const { return section_.has_value() && depth_ >= list_depth_; }
  [[nodiscard]] bool is_key_needed() const {
    return (document_ == Document::annotations && depth_ == 1) ||
           (is_in_record_ && depth_ == list_depth_ + 1);
  }
  // The member whose value comes next, if it is one of those wanted.
  [[nodiscard]] MemberValue* target() {
    if (!is_in_record_ || depth_ != list_depth_ + 1 || !member_) return nullptr;
    return &record_.members[*member_];
  }
  // The member whose list is being read.
  [[nodiscard]] MemberValue* list_target() {
    if (!is_in_numbers_ || depth_ != list_depth_ + 2) return nullptr;
    return &record_.members[*member_];
  }
  [[nodiscard]] bool is_number_needed() { return target() != nullptr || list_target() != nullptr; }
  void spoil_list() {
    if (MemberValue* value = list_target()) value->kind = MemberValue::Kind::other;
  }
  // A plain value where an object or a list has to stand.
  void check_place() const {
    if (depth_ == 0) {
      refuse(document_ == Document::results ? "is not a list of results"
                                            : "is not COCO's annotations: it is not an object");
    }
    if (!section_) return;
    if (depth_ == list_depth_ - 1) refuse_section();
    if (depth_ == list_depth_) refuse_element();
  }
  void take_number(double number, std::optional<std::int64_t> whole) {
    check_place();
    if (MemberValue* value = target()) {
      value->kind = MemberValue::Kind::number;
      value->number = number;
      value->is_whole = whole.has_value();
      value->whole = whole.value_or(0);
    } else if (MemberValue* list = list_target()) {
      if (list->count < list->numbers.size()) list->numbers[list->count] = number;
      ++list->count;
    }
  }

  std::string name_;
  std::size_t max_text_;
  const std::function<void(const Record&)>& on_record_;
  std::size_t list_depth_;
  Document document_;
  std::size_t depth_ = 0;
  std::optional<Section> section_;  // that whose value is read
  unsigned seen_ = 0;
  std::size_t index_ = 0;
  Record record_;
  bool is_in_record_ = false;
  bool is_in_numbers_ = false;
  std::optional<std::size_t> member_;
  std::string text_;
  std::string number_text_;
};

// Counts lines over pieces.
struct Place {
  std::size_t line = 1;
  std::size_t column = 1;

  void pass(std::string_view text) {
    for (const char c : text) {
      ++column;
      if (c != '\n') continue;
      ++line;
      column = 1;
    }
  }
};

std::string_view hint(std::string_view rest) {
  for (const std::string_view word : {"NaN", "Infinity", "-Infinity"}) {
    if (rest.starts_with(word)) return " (NaN and Infinity are not numbers in JSON)";
  }
  return {};
}

}  // namespace

std::string_view to_string(Member member) {
  return kMemberNames.at(static_cast<std::size_t>(member));
}

std::string_view to_string(Section section) {
  return kSectionNames.at(static_cast<std::size_t>(section));
}

std::string Record::place() const {
  return fmt::format("{}[{}]", to_string(section), index);
}

unsigned read_coco_stream(Document document, const std::function<std::string_view()>& next,
                          std::string_view name, std::size_t max_text,
                          const std::function<void(const Record&)>& on_record) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::json::basic_parser<Handler> parser(options, document, name, max_text, on_record);
  Place place;
  error_code error;
  std::string_view piece = next();
  if (piece.starts_with("\xEF\xBB\xBF")) piece.remove_prefix(3);
  while (true) {
    const bool is_last = piece.empty();
    const std::size_t parsed = parser.write_some(!is_last, piece.data(), piece.size(), error);
    if (!error && parsed < piece.size()) {
      // What follows the document may only be space, which the parser has taken.
      error = boost::json::error::extra_data;
    }
    if (error) {
      place.pass(piece.substr(0, parsed));
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("{} is not valid JSON: {} at line {}, column {}{}", name, error.message(),
                      place.line, place.column, hint(piece.substr(parsed))));
    }
    if (is_last) break;
    place.pass(piece);
    piece = next();
  }
  return parser.handler().seen();
}

}  // namespace andon::evaluate
