// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <iostream>

#include "base/error/error.hpp"
#include "base/text/escape.hpp"
#include "options/usage_error.hpp"

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
  put(fmt::format("{}[{:6.2f} s]{} {}\n", bold, elapsed.count(), plain,
                  base::escape_controls(text)));
}

void Terminal::detail(std::string_view text) {
  clear_progress();
  put(fmt::format("           {}\n", base::escape_controls(text)));
}

void Terminal::warning(std::string_view text) {
  clear_progress();
  put(fmt::format("  warning: {}\n", base::escape_controls(text)));
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
  std::string line =
      fmt::format("           {} [{:#<{}}{:.<{}}] {:3} %  {}", base::escape_line(label), "", filled,
                  "", kBarWidth - filled, 100 * done / total, amounts);
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

void confirm(const std::string& question, bool yes) {
  if (yes) return;
  if (isatty(STDIN_FILENO) == 0 || isatty(STDERR_FILENO) == 0) {
    throw options::UsageError(question + " There is no terminal to ask on: give --yes");
  }
  put(base::escape_controls(question) + " [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return;
  throw base::Error(base::ErrorCode::cancelled, "nothing was done");
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
