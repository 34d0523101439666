// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace andon::cli {
namespace {

constexpr std::size_t kBarWidth = 30;
constexpr std::string_view kClearLine = "\r\x1b[2K";

void put(std::string_view text) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

Terminal::Terminal()
    : start_(std::chrono::steady_clock::now()),
      is_terminal_(isatty(STDERR_FILENO) == 1),
      has_colour_(is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Terminal::step(std::string_view text) {
  clear_progress();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  const std::string_view bold = has_colour_ ? "\x1b[1m" : "";
  const std::string_view plain = has_colour_ ? "\x1b[0m" : "";
  put(fmt::format("{}[{:6.2f} s]{} {}\n", bold, elapsed.count(), plain, text));
}

void Terminal::detail(std::string_view text) {
  clear_progress();
  put(fmt::format("           {}\n", text));
}

void Terminal::warning(std::string_view text) {
  clear_progress();
  put(fmt::format("  warning: {}\n", text));
}

void Terminal::progress(std::string_view label, std::uint64_t done, std::uint64_t total) {
  draw_progress(label, done, total,
                fmt::format("{} of {}", format_bytes(done), format_bytes(total)),
                format_bytes(total));
}

void Terminal::progress_count(std::string_view label, std::uint64_t done, std::uint64_t total) {
  draw_progress(label, done, total, fmt::format("{} of {}", done, total), std::to_string(total));
}

void Terminal::draw_progress(std::string_view label, std::uint64_t done, std::uint64_t total,
                             std::string_view amounts, std::string_view whole) {
  if (total == 0) return;
  if (!is_terminal_) {
    if (done >= total) detail(fmt::format("{}: {}", label, whole));
    return;
  }
  const auto filled = static_cast<std::size_t>(kBarWidth * done / total);
  std::string line = fmt::format("           {} [{:#<{}}{:.<{}}] {:3} %  {}", label, "", filled, "",
                                 kBarWidth - filled, 100 * done / total, amounts);
  if (line != last_progress_) {
    put(std::string(kClearLine) + line);
    last_progress_ = std::move(line);
    progress_shown_ = true;
  }
  if (done >= total && progress_shown_) {
    put("\n");
    progress_shown_ = false;
    last_progress_.clear();
  }
}

void Terminal::clear_progress() {
  if (progress_shown_) put(kClearLine);
  progress_shown_ = false;
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KB", "MB", "GB", "TB"};
  if (bytes < 1000) return fmt::format("{} B", bytes);
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 999.5 && unit + 1 < kUnits.size()) {
    amount /= 1000;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", amount, amount < 99.95 ? 1 : 0, kUnits.at(unit));
}

}  // namespace andon::cli
