// SPDX-License-Identifier: Apache-2.0
// SageMaker's contract with a job, as far as it follows from the request: the command, its
// variables, and the files of /opt/ml that say what was asked for. Pure; any thread. Throws
// base::Error(invalid_argument) that names the member.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "job/order/order.hpp"
#include "workflow/modeljobs/image_commands.hpp"
#include "workflow/modeljobs/types.hpp"

namespace andon::workflow {

// /opt/ml of a job is this directory below its work/; /opt/ml is a link to it.
inline constexpr const char* kMlDirectory = "ml";
inline constexpr const char* kMlPlace = "/opt/ml";

// A channel or an input: what comes from objects before the job begins.
struct JobSource {
  std::string name;
  std::string directory;  // below the work directory: "ml/input/data/train"
  std::string uri;
  bool is_manifest = false;
};
// What becomes objects when it has ended well.
struct JobSink {
  std::string name;
  std::string directory;
  std::string uri;
};

struct JobContract {
  job::Command command;
  job::Limits limits;
  std::vector<std::uint16_t> ports;
  std::chrono::seconds timeout{86'400};
  std::vector<std::string> directories;      // made empty, below work/
  std::map<std::string, std::string> files;  // below work/: path and content
  std::vector<JobSource> sources;
  std::vector<JobSink> sinks;  // of processing jobs
  // Script mode: an archive of code, at an s3:// place or below work/; goes to ml/code.
  std::optional<std::string> submit_directory;
};

struct ContractPlace {
  std::string region;
  std::string base = kMlPlace;  // what the job calls its /opt/ml
  unsigned cpus = 1;
  unsigned gpus = 0;
};

[[nodiscard]] JobContract training_contract(const ModelJob& job, const ImageCommand& image,
                                            const ContractPlace& place);
[[nodiscard]] JobContract processing_contract(const ModelJob& job, const ImageCommand& image,
                                              const ContractPlace& place);
[[nodiscard]] std::string image_of(const ModelJob& job);

// Checks what no contract can be made of; the same refusals, without an image's command.
void check_request(const ModelJob& job);

}  // namespace andon::workflow
