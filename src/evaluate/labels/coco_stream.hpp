// SPDX-License-Identifier: Apache-2.0
// The lists of COCO's JSON as a stream of records: only the members that andon uses are kept, one
// record at a time. Internal to evaluate.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace andon::evaluate {

enum class Member {
  id,
  image_id,
  category_id,
  bbox,
  area,
  iscrowd,
  score,
  width,
  height,
  file_name,
  name,
};
inline constexpr std::size_t kMembers = 11;
[[nodiscard]] std::string_view to_string(Member member);

struct MemberValue {
  enum class Kind { absent, number, truth, text, numbers, other };
  Kind kind = Kind::absent;
  bool is_whole = false;
  std::int64_t whole = 0;
  double number = 0;              // of a truth 1 or 0
  std::array<double, 4> numbers;  // the first of a list
  std::size_t count = 0;          // of a list
  std::string text;
};

enum class Section { images, annotations, categories, results };
[[nodiscard]] std::string_view to_string(Section section);

struct Record {
  Section section = Section::results;
  std::size_t index = 0;  // in its list
  std::array<MemberValue, kMembers> members;

  [[nodiscard]] const MemberValue& operator[](Member member) const {
    return members[static_cast<std::size_t>(member)];
  }
  // "annotations[12]"
  [[nodiscard]] std::string place() const;
};

enum class Document { annotations, results };

// `next` gives the text piece by piece; an empty piece ends it. `name` is for messages. Throws
// invalid_argument for what is not JSON (with line and column) or not of this form. Texts longer
// than `max_text` become `other`. Returns which sections there were, as bits 1 << section.
unsigned read_coco_stream(Document document, const std::function<std::string_view()>& next,
                          std::string_view name, std::size_t max_text,
                          const std::function<void(const Record&)>& on_record);

}  // namespace andon::evaluate
