// SPDX-License-Identifier: Apache-2.0
// Where everything of one device lies below its root directory. Pure but for make().
#pragma once

#include <string>
#include <string_view>

#include "base/os/file.hpp"

namespace andon::edge {

namespace fs = base::fs;

class Layout {
 public:
  explicit Layout(const fs::path& root);  // made absolute

  // Makes the directories that are missing.
  void make() const;

  [[nodiscard]] const fs::path& root() const { return root_; }
  [[nodiscard]] fs::path config() const { return root_ / "config"; }
  [[nodiscard]] fs::path device_file() const { return config() / "device.json"; }
  [[nodiscard]] fs::path database() const { return root_ / "config.db"; }
  [[nodiscard]] fs::path lock() const { return root_ / "agent.lock"; }
  [[nodiscard]] fs::path status_file() const { return root_ / "run" / "status.json"; }
  [[nodiscard]] fs::path processes() const { return root_ / "run" / "processes"; }
  // Where components that outlive their agent look for temporary credentials.
  [[nodiscard]] fs::path token_port_file() const { return root_ / "run" / "token-exchange-port"; }

  [[nodiscard]] fs::path blobs() const { return root_ / "packages" / "blobs" / "sha256"; }
  // A blob that is still arriving, or has not been verified yet.
  [[nodiscard]] fs::path partial_blobs() const { return root_ / "packages" / "blobs" / "partial"; }
  [[nodiscard]] fs::path artifacts() const { return root_ / "packages" / "artifacts"; }
  [[nodiscard]] fs::path unarchived() const { return root_ / "packages" / "artifacts-unarchived"; }
  [[nodiscard]] fs::path recipes() const { return root_ / "packages" / "recipes"; }
  // One file for each component version whose artifacts are completely in place.
  [[nodiscard]] fs::path staged() const { return root_ / "packages" / "staged"; }

  [[nodiscard]] fs::path artifacts_of(std::string_view component, std::string_view version) const;
  [[nodiscard]] fs::path unarchived_of(std::string_view component, std::string_view version) const;
  [[nodiscard]] fs::path work_of(std::string_view component) const;
  [[nodiscard]] fs::path log_of(std::string_view component) const;

 private:
  fs::path root_;
};

}  // namespace andon::edge
