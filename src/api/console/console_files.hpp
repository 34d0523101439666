// SPDX-License-Identifier: Apache-2.0
// The console's own files: one archive that ./dev console makes of console/
// (scripts/console_pack.py has its format) and that lies in the program. A file is sent as it lies
// there, compressed with gzip; one whose name has the digest of its content may be kept for ever.
// Immutable after construction; any thread.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http/http.hpp"

namespace andon::api {

// The archive that was built in. Empty where the build had none.
[[nodiscard]] std::string_view embedded_console();

class ConsoleFiles {
 public:
  // `archive` must outlive it. Throws data_corrupted for what is none.
  explicit ConsoleFiles(std::string_view archive);

  // What lies at the request's path ("/console/assets/index-1a2b.js"); nothing where there is no
  // such file. Only whole names that are in the archive are found: no path leads out of it.
  [[nodiscard]] std::optional<wire::HttpResponse> find(const wire::HttpRequest& request) const;

  [[nodiscard]] const std::string& sources() const { return sources_; }
  [[nodiscard]] std::size_t count() const { return files_.size(); }

 private:
  struct File {
    std::string type;
    std::string digest;
    std::string_view gzipped;
    std::size_t bytes = 0;  // unpacked
    bool is_immutable = false;
  };
  std::map<std::string, File, std::less<>> files_;  // by name: "assets/index-1a2b.js"
  std::string sources_;                             // the digest of what it was built from, in hex
};

}  // namespace andon::api
