// SPDX-License-Identifier: Apache-2.0
// Which command on this machine stands for a container image: the mapping file that
// `andon-server --job-images` names (YAML or JSON). It is read for each job, so that a change
// counts for the next one. Pure but for load(); any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "job/sandbox/rules.hpp"

namespace andon::workflow {

struct ImageCommand {
  std::string image;  // with '*' for any text
  std::vector<std::string> command;
  std::map<std::string, std::string> environment;
  job::Limits limits;
  std::vector<std::uint16_t> ports;
};

class ImageCommands {
 public:
  ImageCommands() = default;  // none
  // Throws base::Error(invalid_argument) that names the member; `file` is what people call it.
  static ImageCommands parse(std::string_view text, const std::string& file);
  // Throws base::Error as well where it cannot be read. An empty path: there is none.
  static ImageCommands load(const job::fs::path& file);

  // The first that fits. Throws base::Error(invalid_argument) that names the image and the file.
  [[nodiscard]] const ImageCommand& require(const std::string& image) const;
  [[nodiscard]] const std::vector<ImageCommand>& all() const { return all_; }

 private:
  std::string file_;
  std::vector<ImageCommand> all_;
};

}  // namespace andon::workflow
