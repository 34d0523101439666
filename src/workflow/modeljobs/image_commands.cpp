// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/image_commands.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "recipe/reader/json_or_yaml.hpp"

namespace andon::workflow {
namespace {

namespace json = base::json;
using base::JsonReader;

constexpr std::size_t kMostBytes = 256U << 10U;
constexpr std::size_t kMostImages = 1000;
constexpr std::size_t kMostWords = 100;
constexpr std::size_t kMostImageBytes = 512;
constexpr std::int64_t kMostMib = 1LL << 30U;
constexpr std::int64_t kMostProcesses = 100'000;
constexpr double kMostCpus = 4096;
constexpr std::size_t kMostPorts = 100;

// '*' is any text. Linear in what it is asked about, but for the places of stars.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t again = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      again = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++again;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void check_text(const JsonReader& reader, std::string_view key, const std::string& text) {
  if (text.find('\0') != std::string::npos) reader.fail(key, "has a text with a NUL character");
}

void read_limits(const JsonReader& reader, ImageCommand& image) {
  const auto mib = [&](std::string_view key, std::uint64_t& bytes) {
    if (const auto value = reader.optional_integer(key, 1, kMostMib)) {
      bytes = static_cast<std::uint64_t>(*value) << 20U;
    }
  };
  mib("memoryMiB", image.limits.memory_bytes);
  mib("diskMiB", image.limits.disk_bytes);
  if (const auto processes = reader.optional_integer("processes", 1, kMostProcesses)) {
    image.limits.processes = static_cast<std::uint64_t>(*processes);
  }
  if (const auto cpus = reader.optional_number("cpus")) {
    if (!(*cpus > 0 && *cpus <= kMostCpus)) reader.fail("cpus", "must be more than 0");
    image.limits.cpus = *cpus;
  }
  const auto* ports = reader.optional_array("ports");
  if (ports == nullptr) return;
  if (ports->size() > kMostPorts) reader.fail("ports", "has more than 100 ports");
  for (const json::value& port : *ports) {
    if (!port.is_int64() || port.get_int64() < 1 || port.get_int64() > 65'535) {
      reader.fail("ports", "must be numbers from 1 to 65535");
    }
    image.ports.push_back(static_cast<std::uint16_t>(port.get_int64()));
  }
}

ImageCommand read_image(const JsonReader& reader) {
  reader.allow_only(
      {"image", "command", "environment", "memoryMiB", "diskMiB", "processes", "cpus", "ports"});
  ImageCommand image{.image = reader.required_text("image"), .command = {}, .environment = {}};
  if (image.image.size() > kMostImageBytes) reader.fail("image", "is longer than 512 bytes");
  image.command = reader.strings("command", kMostWords + 1);
  if (image.command.empty() || image.command.front().empty()) {
    reader.fail("command", "must be a list of texts: a program and its arguments");
  }
  if (image.command.size() > kMostWords) reader.fail("command", "has more than 100 words");
  for (const std::string& word : image.command) check_text(reader, "command", word);
  image.environment = reader.scalar_map("environment", "");
  for (const auto& [name, value] : image.environment) {
    if (name.empty() || name.find('=') != std::string::npos) {
      reader.fail("environment", "has '" + name.substr(0, 100) + "', which is no variable's name");
    }
    check_text(reader, "environment", name);
    check_text(reader, "environment", value);
  }
  read_limits(reader, image);
  return image;
}

}  // namespace

ImageCommands ImageCommands::parse(std::string_view text, const std::string& file) {
  const json::value document = recipe::parse_json_or_yaml(text, file, {.max_bytes = kMostBytes});
  const JsonReader reader(document, file);
  reader.allow_only({"images"});
  ImageCommands commands;
  commands.file_ = file;
  for (const JsonReader& one : reader.children("images")) {
    if (commands.all_.size() == kMostImages) reader.fail("images", "has more than 1000 images");
    commands.all_.push_back(read_image(one));
  }
  return commands;
}

ImageCommands ImageCommands::load(const job::fs::path& file) {
  if (file.empty()) return {};
  return parse(base::read_file(file, kMostBytes), file.string());
}

const ImageCommand& ImageCommands::require(const std::string& image) const {
  const auto found = std::ranges::find_if(
      all_, [&image](const ImageCommand& one) { return fits(one.image, image); });
  if (found != all_.end()) return *found;
  const std::string named = "there is no command here for the image '" + image.substr(0, 512) + "'";
  throw base::Error(base::ErrorCode::invalid_argument,
                    file_.empty() ? named + ": name a file with one to andon-server --job-images"
                                  : named + ": add one under 'images' in " + file_ +
                                        " (andon-server --job-images)");
}

}  // namespace andon::workflow
