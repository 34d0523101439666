// SPDX-License-Identifier: Apache-2.0
#include "api/s3/settings/form_data.hpp"

#include <algorithm>

#include "api/s3/format/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMostBoundary = 70;
constexpr std::size_t kPieceBytes = 64U << 10U;

S3Error malformed(const std::string& what) {
  return {400, "MalformedPOSTRequest",
          "The body of your POST request is not well-formed multipart/form-data: " + what};
}

// A parameter of a header's value: ...; name="value" or name=value.
std::optional<std::string> parameter_of(std::string_view value, std::string_view name) {
  std::size_t at = value.find(';');
  while (at < value.size()) {
    ++at;
    at = std::min(value.find_first_not_of(" \t", at), value.size());
    const std::size_t equals = value.find('=', at);
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view found = base::trim(value.substr(at, equals - at));
    std::string text;
    at = equals + 1;
    if (at < value.size() && value[at] == '"') {
      for (++at; at < value.size() && value[at] != '"'; ++at) {
        // Browsers write quotes as %22; others put a backslash before them.
        if (value[at] == '\\' && at + 1 < value.size() && value[at + 1] == '"') ++at;
        text += value[at];
      }
      if (at == value.size()) return std::nullopt;
      at = value.find(';', at);
    } else {
      const std::size_t end = std::min(value.find(';', at), value.size());
      text = base::trim(value.substr(at, end - at));
      at = end;
    }
    if (base::equal_ignoring_case(found, name)) return text;
  }
  return std::nullopt;
}

struct PartHead {
  std::string name;
  std::string file_name;
  std::string content_type;
};

PartHead read_head(std::string_view text) {
  PartHead head;
  bool has_name = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) throw malformed("a part's header has no colon");
    const std::string_view name = line.substr(0, colon);
    const std::string_view value = base::trim(line.substr(colon + 1));
    if (base::equal_ignoring_case(name, "Content-Type")) head.content_type = value;
    if (!base::equal_ignoring_case(name, "Content-Disposition")) continue;
    const auto field = parameter_of(value, "name");
    if (!field) throw malformed("a part has no name");
    has_name = true;
    head.name = *field;
    head.file_name = parameter_of(value, "filename").value_or("");
    const std::size_t folder = head.file_name.find_last_of("/\\");
    if (folder != std::string::npos) head.file_name.erase(0, folder + 1);
  }
  if (!has_name) throw malformed("a part has no Content-Disposition");
  return head;
}

// Where `wanted` is in the body from `from` on; nothing where it is not there.
std::optional<std::uint64_t> find_in(const wire::Body& body, std::uint64_t from,
                                     std::string_view wanted) {
  std::string window;
  std::string piece(kPieceBytes, '\0');
  std::uint64_t window_at = from;
  for (std::uint64_t at = from;;) {
    const std::size_t count = body.read_at(at, piece.data(), piece.size());
    if (count == 0) return std::nullopt;
    at += count;
    window.append(piece, 0, count);
    const std::size_t found = window.find(wanted);
    if (found != std::string::npos) return window_at + found;
    const std::size_t kept = std::min(window.size(), wanted.size() - 1);
    window_at += window.size() - kept;
    window.erase(0, window.size() - kept);
  }
}

}  // namespace

std::optional<std::string> FormData::find(std::string_view name) const {
  const auto field = std::ranges::find_if(
      fields, [&](const auto& item) { return base::equal_ignoring_case(item.first, name); });
  if (field == fields.end()) return std::nullopt;
  return field->second;
}

std::optional<std::string> read_boundary(std::string_view content_type) {
  const std::string_view kind = base::trim(content_type.substr(0, content_type.find(';')));
  if (!base::equal_ignoring_case(kind, "multipart/form-data")) return std::nullopt;
  auto boundary = parameter_of(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > kMostBoundary) return std::nullopt;
  return boundary;
}

namespace {

enum class Extent : std::uint8_t { whole, start };

FormData read_form(const wire::Body& body, std::string_view boundary, const FormLimits& limits,
                   Extent extent) {
  const std::string delimiter = "\r\n--" + std::string(boundary);
  // All that may stand before the file, with what frames it.
  std::string start(limits.max_field_bytes + kPieceBytes, '\0');
  std::size_t filled = 0;
  while (filled < start.size()) {
    const std::size_t count = body.read_at(filled, start.data() + filled, start.size() - filled);
    if (count == 0) break;
    filled += count;
  }
  start.resize(filled);
  const bool is_all = extent == Extent::whole && filled == body.size();
  const auto too_long = [&] {
    if (is_all) return malformed("it ends too early");
    return S3Error(400, "MaxPostPreDataLengthExceededError",
                   "Your POST request fields preceding the upload file were too large.");
  };
  FormData form;
  std::string_view rest = start;
  if (!rest.starts_with(std::string_view(delimiter).substr(2))) {
    throw malformed("it does not begin with its boundary");
  }
  rest.remove_prefix(delimiter.size() - 2);
  std::size_t field_bytes = 0;
  while (true) {
    if (rest.starts_with("--")) return form;  // without a file
    if (!rest.starts_with("\r\n")) throw malformed("a boundary does not end its line");
    rest.remove_prefix(2);
    const std::size_t head_end = rest.find("\r\n\r\n");
    if (head_end == std::string_view::npos) throw too_long();
    const PartHead head = read_head(rest.substr(0, head_end));
    rest.remove_prefix(head_end + 4);
    if (base::equal_ignoring_case(head.name, "file")) {
      const auto offset = static_cast<std::uint64_t>(rest.data() - start.data());
      form.file = FormFile{.name = head.file_name, .content_type = head.content_type};
      form.file->offset = offset;
      if (extent == Extent::start) return form;
      // An empty file: its delimiter follows the blank line, whose end is the delimiter's begin.
      const auto end = find_in(body, offset - 2, delimiter);
      if (!end) throw malformed("the file does not end with the boundary");
      form.file->size = *end < offset ? 0 : *end - offset;
      return form;
    }
    // The same for an empty field.
    const std::string_view with_end =
        std::string_view(start).substr(static_cast<std::size_t>(rest.data() - start.data()) - 2);
    const std::size_t end = with_end.find(delimiter);
    if (end == std::string_view::npos) throw too_long();
    const std::string_view value = end < 2 ? std::string_view() : rest.substr(0, end - 2);
    field_bytes += head.name.size() + value.size();
    if (field_bytes > limits.max_field_bytes || form.fields.size() == limits.max_fields) {
      throw S3Error(400, "MaxPostPreDataLengthExceededError",
                    "Your POST request fields preceding the upload file were too large.");
    }
    // So that what is checked is what counts.
    if (form.find(head.name)) throw malformed("the field " + head.name + " is there twice");
    form.fields.emplace_back(head.name, value);
    rest = with_end.substr(end + delimiter.size());
  }
}

}  // namespace

FormData read_form_data(const wire::Body& body, std::string_view boundary,
                        const FormLimits& limits) {
  return read_form(body, boundary, limits, Extent::whole);
}

FormData read_form_start(const wire::Body& body, std::string_view boundary,
                         const FormLimits& limits) {
  return read_form(body, boundary, limits, Extent::start);
}

}  // namespace andon::api
