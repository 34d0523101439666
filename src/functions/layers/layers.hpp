// SPDX-License-Identifier: Apache-2.0
// Room: layers. Versions of layers: packages that functions see below /opt, in a table of their
// own. One that was deleted is not found and not given to functions any more, and stays for those
// that have it. Each call is one transaction; any thread. Errors are base::Error in AWS's words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/names/arn.hpp"
#include "functions/registry/types.hpp"
#include "store/sql/database.hpp"

namespace andon::functions {

inline constexpr std::size_t kMostLayers = 5;  // of a function

struct LayerVersion {
  std::string name;
  std::int64_t number = 0;
  Code code;
  std::string description;
  std::string license;
  std::vector<std::string> runtimes;
  std::vector<std::string> architectures;
  base::Timestamp created;
};

struct LayerRef {
  std::string name;
  std::int64_t number = 0;  // 0: of a layer as a whole
};
// "name", "arn:aws:lambda:R:A:layer:NAME" or with ":VERSION". Throws invalid_argument.
[[nodiscard]] LayerRef parse_layer_ref(std::string_view text);
[[nodiscard]] std::string layer_arn(const fleet::Arns& arns, std::string_view name);
[[nodiscard]] std::string layer_version_arn(const fleet::Arns& arns, const LayerVersion& version);

class Layers {
 public:
  static constexpr std::int64_t kMostVersions = 10'000;  // of all layers

  // The registry's tables must be there.
  Layers(store::Database& database, const base::Clock& clock, fleet::Arns arns);

  // With the next number of its name, which is never given again.
  LayerVersion publish(LayerVersion version);
  // not_found, also for one that was deleted.
  [[nodiscard]] LayerVersion find(const LayerRef& ref) const;
  // Of a function's configuration, deleted or not; nothing where it is gone.
  [[nodiscard]] std::optional<LayerVersion> of_function(const std::string& arn) const;
  // What is not there is no error.
  void remove(const LayerRef& ref);

  struct Filter {
    std::string runtime;  // empty: any
    std::string architecture;
  };
  struct Page {
    std::vector<LayerVersion> versions;
    std::optional<std::string> next;
  };
  // The newest of each that fits, by name; the versions of one, newest first.
  [[nodiscard]] Page list(const std::string& after, std::size_t limit, const Filter& filter) const;
  [[nodiscard]] Page versions_of(const std::string& name, const std::string& after,
                                 std::size_t limit, const Filter& filter) const;

  // Forgets deleted ones that no function has.
  void forget_unused();
  // Does any version have it?
  [[nodiscard]] bool is_used(const std::string& sha256) const;

  [[nodiscard]] const fleet::Arns& arns() const { return arns_; }

 private:
  store::Database& database_;
  const base::Clock& clock_;
  const fleet::Arns arns_;
};

}  // namespace andon::functions
