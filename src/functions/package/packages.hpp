// SPDX-License-Identifier: Apache-2.0
// Room: package. The code of functions: ZIP archives, stored as objects of bucket andon-functions
// by their digests, and unpacked once into a directory that sandboxes see as /var/task. What is not
// there any more (a restored backup) is unpacked again. Blocking; any thread.
// After a crash a package is there whole or not at all.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/os/file.hpp"
#include "functions/registry/types.hpp"
#include "store/objects/object_store.hpp"

namespace andon::functions {

namespace fs = base::fs;

struct PackageOptions {
  fs::path directory;                  // of all packages; made if absent
  bool installs_requirements = false;  // of a requirements.txt at the root, by pip
  std::string python = "python3";      // that has pip
  fs::path pip_config;                 // of it (pip.conf); empty: the machine's
  std::chrono::seconds install_limit{300};
  std::uint64_t install_bytes = 1ULL << 30U;
};

class Packages {
 public:
  static constexpr const char* kBucket = "andon-functions";
  static constexpr std::uint64_t kMostZipped = 52'428'800;     // of one that comes with its request
  static constexpr std::uint64_t kMostUnzipped = 262'144'000;  // also of one that is an object

  Packages(PackageOptions options, store::ObjectStore& objects);

  // Stores and unpacks it. Throws invalid_argument, in AWS's words, for what is no archive or too
  // large.
  [[nodiscard]] Code add(const std::string& zip);
  [[nodiscard]] Code add_object(const std::string& bucket, const std::string& key);
  // What would be added, without storing it.
  [[nodiscard]] static Code look_at(const std::string& zip);

  // Where it is unpacked.
  fs::path ensure(const Code& code);
  // What its requirements.txt names, beside it; nothing where there is none, or it is not wanted.
  // Throws invalid_argument for requirements that are refused or cannot be had.
  void install(const Code& code);
  // Nothing where nothing is installed.
  [[nodiscard]] fs::path requirements(const Code& code) const;
  // A directory of this machine as a package: its files as they are now.
  [[nodiscard]] Code add_directory(const fs::path& directory);
  // What all of them together hold; a later one stands before an earlier one. Nothing for none.
  [[nodiscard]] fs::path merge(const std::vector<Code>& layers);
  // Of its files.
  [[nodiscard]] std::uint64_t unzipped_bytes(const Code& code);

  // Removes what no version has and is older than an hour.
  void sweep(const std::function<bool(const std::string& sha256)>& is_used);

 private:
  static constexpr const char* kFreshPrefix = "fresh-";  // of directories that are being filled
  static constexpr const char* kInstalledSuffix = ".installed";
  static constexpr const char* kMergedSuffix = ".merged";
  [[nodiscard]] fs::path place(const std::string& sha256) const;
  void keep(const Code& code, const std::string& zip);
  void run_pip(const fs::path& list, const fs::path& target) const;

  const PackageOptions options_;
  store::ObjectStore& objects_;
  std::mutex mutex_;  // one at a time changes the directory
};

// The lines of a requirements.txt that may be installed: names with versions and no more. Throws
// invalid_argument naming the line: options, addresses and paths could have pip run or read
// anything.
[[nodiscard]] std::vector<std::string> read_requirements(const std::string& text);

}  // namespace andon::functions
