// SPDX-License-Identifier: Apache-2.0
#include "fleet/command/command_answer.hpp"

#include <array>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "fleet/messages/limits.hpp"

namespace andon::fleet {
namespace {

using base::JsonReader;

constexpr std::int64_t kMostSequence = 1LL << 40U;
constexpr std::size_t kMostMessage = 4096;
constexpr std::size_t kMostCode = 64;
// It is kept with the command, as what was answered is not.
constexpr std::size_t kMostResult = 4096;
// Text may be written with six bytes for one.
constexpr base::JsonLimits kAnswer{.max_bytes = 6 * kMostAnswerBytes + (8U << 10U),
                                   .max_depth = 16};

void check_size(const JsonReader& reader, std::string_view key, std::size_t bytes) {
  if (bytes <= kMostAnswerBytes) return;
  reader.fail(key, "has more than " + std::to_string(kMostAnswerBytes) + " bytes");
}

CommandProgress read_progress(const JsonReader& reader) {
  const auto count = [&](std::string_view key) {
    return static_cast<std::uint64_t>(reader.optional_integer(key, 0, INT64_MAX).value_or(0));
  };
  return {count("bytes"), count("ofBytes"),
          cut_text(reader.optional_string("text").value_or(""), kMostMessage)};
}

CommandEnd read_end(const JsonReader& reader) {
  CommandEnd end;
  if (reader.has("error")) {
    const JsonReader error = reader.child("error");
    end.error = cut_text(error.required_text("code"), kMostCode);
    end.message = cut_text(error.optional_string("message").value_or(""), kMostMessage);
  }
  end.result = reader.child_or_empty("result").object();
  if (base::to_text(end.result).size() > kMostResult) end.result.clear();
  return end;
}

std::optional<CommandContent> read_content(const JsonReader& reader) {
  if (auto text = reader.optional_string("text")) {
    check_size(reader, "text", text->size());
    return CommandText{*std::move(text), reader.optional_string("stream").value_or("") == "err"};
  }
  if (reader.has("row")) {
    json::object row = reader.child("row").object();
    check_size(reader, "row", base::to_text(row).size());
    return CommandRow{std::move(row)};
  }
  if (const auto data = reader.optional_string("data")) {
    auto bytes = base::from_base64(*data);
    if (!bytes) reader.fail("data", "must be base64");
    check_size(reader, "data", bytes->size());
    return CommandData{*std::move(bytes)};
  }
  if (reader.has("progress")) return read_progress(reader.child("progress"));
  if (reader.has("end")) return read_end(reader.child("end"));
  return std::nullopt;
}

struct Writer {
  json::object& object;

  void operator()(const CommandText& text) const {
    object["text"] = text.text;
    if (text.is_error_output) object["stream"] = "err";
  }
  void operator()(const CommandRow& row) const { object["row"] = row.row; }
  void operator()(const CommandData& data) const { object["data"] = base::to_base64(data.bytes); }
  void operator()(const CommandProgress& progress) const {
    json::object told{{"bytes", progress.bytes}};
    if (progress.of_bytes > 0) told["ofBytes"] = progress.of_bytes;
    if (!progress.text.empty()) told["text"] = progress.text;
    object["progress"] = std::move(told);
  }
  void operator()(const CommandEnd& end) const {
    json::object told;
    if (!end.error.empty()) {
      told["error"] = json::object{{"code", end.error}, {"message", end.message}};
    }
    if (!end.result.empty()) told["result"] = end.result;
    object["end"] = std::move(told);
  }
};

struct Size {
  std::size_t operator()(const CommandText& text) const { return text.text.size(); }
  std::size_t operator()(const CommandRow& row) const { return base::to_text(row.row).size(); }
  std::size_t operator()(const CommandData& data) const { return data.bytes.size(); }
  std::size_t operator()(const CommandProgress& progress) const { return progress.text.size(); }
  std::size_t operator()(const CommandEnd& end) const { return end.message.size(); }
};

}  // namespace

std::size_t CommandAnswer::bytes() const {
  return std::visit(Size{}, content);
}

json::object to_json(const CommandAnswer& answer) {
  json::object object{{"sequence", answer.sequence}};
  std::visit(Writer{object}, answer.content);
  return object;
}

std::string to_message(const CommandAnswer& answer) {
  return base::to_text(to_json(answer));
}

std::string to_message(CommandSign sign) {
  return base::to_text(json::object{{"sign", sign == CommandSign::alive ? "alive" : "unknown"}});
}

CommandMessage parse_command_message(std::string_view payload) {
  const json::value value = base::parse_json(payload, "answer to a command", kAnswer);
  const JsonReader reader(value, "answer to a command");
  constexpr std::array<std::pair<std::string_view, CommandSign>, 2> kSigns{
      {{"alive", CommandSign::alive}, {"unknown", CommandSign::unknown}}};
  if (const auto sign = reader.choice("sign", kSigns)) return *sign;
  const auto sequence = reader.optional_integer("sequence", 1, kMostSequence);
  if (!sequence) reader.fail("sequence", "is missing");
  auto content = read_content(reader);
  if (!content) reader.fail("text", "or row, data, progress or end must be there");
  return CommandAnswer{static_cast<std::uint64_t>(*sequence), *std::move(content)};
}

}  // namespace andon::fleet
