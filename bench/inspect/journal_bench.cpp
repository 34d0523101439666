// SPDX-License-Identifier: Apache-2.0
// A camera folder for ever: NAMES pictures, each with a new name, through a journal in DIRECTORY.
// Prints the time, the largest file and the most memory. In a directory in memory (/dev/shm) it is
// the journal's own time, on a disk the time of a sync a picture.
//   journal_bench [NAMES] [DIRECTORY] [kept|gone]
// gone: the files of the pictures are not there any more; kept: they are looked for in vain in a
// directory that is missing, so that none is forgotten for being gone.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <string>

#include "inspect/journal/journal.hpp"

namespace {

using andon::inspect::Journal;
using andon::inspect::PictureId;
using Seconds = std::chrono::duration<double>;

double most_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace

int main(int argc, char** argv) {
  const long names = argc > 1 ? std::atol(argv[1]) : 10'000'000;
  const andon::base::TemporaryDirectory folder(argc > 2 ? argv[2] : "/dev/shm");
  const bool is_kept = argc > 3 && std::string(argv[3]) == "kept";
  const std::string pictures = (folder.path() / (is_kept ? "missing" : ".")).string();
  const auto id = [&](long i) {
    return PictureId{fmt::format("{}/line-1-camera-7-{:010}.jpg", pictures, i), 700'000 + i % 99,
                     1'700'000'000'000'000'000 + i};
  };
  const auto start = std::chrono::steady_clock::now();
  std::uint64_t largest = 0;
  std::size_t remembered = 0;
  Seconds longest{0};
  {
    Journal journal(folder.path() / "state");
    for (long i = 0; i < names; ++i) {
      const auto before = std::chrono::steady_clock::now();
      journal.set_published(journal.record(id(i), R"({"image": "the result's message"})"));
      longest = std::max<Seconds>(longest, std::chrono::steady_clock::now() - before);
      largest = std::max(largest, journal.file_bytes());
      remembered = std::max(remembered, journal.remembered());
    }
  }
  const Seconds writing = std::chrono::steady_clock::now() - start;
  const auto again = std::chrono::steady_clock::now();
  const Journal journal(folder.path() / "state");
  const Seconds opening = std::chrono::steady_clock::now() - again;
  fmt::print(
      "{} names in {:.1f} s ({:.1f} us each, longest {:.0f} ms); file at most {:.0f} MiB; "
      "remembered at most {}; opened in {:.1f} s; most memory {:.0f} MiB; the last is {}\n",
      names, writing.count(), writing.count() / static_cast<double>(names) * 1e6,
      longest.count() * 1e3, static_cast<double>(largest) / (1 << 20), remembered, opening.count(),
      most_mib(), journal.has(id(names - 1)) ? "known" : "forgotten");
  return journal.has(id(names - 1)) || !is_kept ? 0 : 1;
}
