// SPDX-License-Identifier: Apache-2.0
#include "edge/control/support_bundle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <system_error>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "edge/control/agent_status.hpp"
#include "edge/control/doctor.hpp"
#include "edge/state/state_database.hpp"
#include "edge/state/version.hpp"

namespace andon::edge {
namespace {

constexpr std::size_t kBlock = 512;
constexpr std::int64_t kDeployments = 10;

// POSIX ustar: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html
class Tar {
 public:
  explicit Tar(std::size_t most) : most_(most) {}

  void add(const std::string& name, const std::string& content) {
    if (bytes_.size() + content.size() + 4 * kBlock > most_) {
      left_out_ += name + '\n';
      return;
    }
    put(name, content);
  }

  [[nodiscard]] std::string finish() {
    if (!left_out_.empty()) put("left-out.txt", left_out_);
    bytes_.append(2 * kBlock, '\0');
    return std::move(bytes_);
  }

 private:
  static void octal(std::array<char, kBlock>& header, std::size_t at, int digits,
                    std::uint64_t value) {
    std::snprintf(header.data() + at, static_cast<std::size_t>(digits) + 1, "%0*llo", digits,
                  static_cast<unsigned long long>(value));
  }

  void put(const std::string& name, const std::string& content) {
    std::array<char, kBlock> header{};
    std::memcpy(header.data(), name.data(), std::min<std::size_t>(name.size(), 99));
    octal(header, 100, 7, 0640);
    octal(header, 108, 7, 0);
    octal(header, 116, 7, 0);
    octal(header, 124, 11, content.size());
    octal(header, 136, 11, static_cast<std::uint64_t>(std::time(nullptr)));
    std::memset(header.data() + 148, ' ', 8);
    header[156] = '0';
    std::memcpy(header.data() + 257,
                "ustar\0"
                "00",
                8);
    std::uint64_t sum = 0;
    for (const char byte : header) sum += static_cast<unsigned char>(byte);
    octal(header, 148, 6, sum);
    bytes_.append(header.data(), header.size());
    bytes_ += content;
    bytes_.append((kBlock - content.size() % kBlock) % kBlock, '\0');
  }

  std::size_t most_;
  std::string bytes_;
  std::string left_out_;
};

// What the journal says of the newest deployments; their documents hold configurations.
std::string deployments(const Layout& layout) {
  std::string text;
  open_state_database(layout.database())->read([&](store::Transaction& transaction) {
    for (const store::Row& row : transaction.query(
             "SELECT job_id, state, attempts, failed_in, bytes_fetched, updated_ms, failure FROM "
             "deployments ORDER BY id DESC LIMIT $1",
             {kDeployments})) {
      base::json::object one{
          {"jobId", row.text(0)},           {"state", row.text(1)},
          {"attempts", row.integer(2)},     {"failedIn", row.optional_text(3).value_or("")},
          {"bytesFetched", row.integer(4)}, {"updatedMs", row.integer(5)}};
      if (const auto failure = row.optional_text(6)) one["failure"] = *failure;
      text += base::to_text(one) + '\n';
    }
  });
  return text;
}

std::string machine(const Layout& layout) {
  utsname name{};
  uname(&name);
  std::error_code unknown;
  const fs::space_info space = fs::space(layout.root(), unknown);
  base::json::object about{{"agent", kCoreVersion},
                           {"system", static_cast<const char*>(name.sysname)},
                           {"release", static_cast<const char*>(name.release)},
                           {"machine", static_cast<const char*>(name.machine)},
                           {"freeBytes", unknown ? 0 : space.available}};
  return base::to_text(about) + '\n';
}

template <typename Make>
void add(Tar& tar, const std::string& name, const Make& make) {
  try {
    tar.add(name, make());
  } catch (const base::Error& error) {
    tar.add(name + ".missing", error.message() + '\n');
  }
}

}  // namespace

std::string end_of_file(const fs::path& path, std::size_t bytes) {
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat about {};
  if (!file || fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return "";
  const auto size = static_cast<std::size_t>(about.st_size);
  std::string text(std::min(size, bytes), '\0');
  const ssize_t got =
      pread(file.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  if (size > bytes) {
    const std::size_t line = text.find('\n');
    text.erase(0, line == std::string::npos ? 0 : line + 1);
  }
  return text;
}

std::string make_support_bundle(const Layout& layout, const BundleLimits& limits) {
  Tar tar(limits.all_bytes);
  add(tar, "machine.json", [&] { return machine(layout); });
  add(tar, "status.json", [&] { return base::to_text(read_status(layout)) + '\n'; });
  add(tar, "doctor.txt", [&] { return to_readable(examine(layout)); });
  add(tar, "deployments.jsonl", [&] { return deployments(layout); });
  std::vector<fs::path> logs;
  std::error_code unreadable;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(layout.root() / "logs", unreadable)) {
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  }
  std::ranges::sort(logs);
  for (const fs::path& log : logs) {
    tar.add("logs/" + log.filename().string(), end_of_file(log, limits.log_bytes));
  }
  return tar.finish();
}

}  // namespace andon::edge
