// SPDX-License-Identifier: Apache-2.0
// Script mode of SageMaker's training toolkit: which program of the user's runs, with which words,
// and the SM_... variables that it reads. Hyperparameters are JSON texts there, or plain ones.
// Pure; any thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"

namespace andon::workflow {

struct ContractPlace;
namespace json = base::json;

struct ScriptMode {
  std::string program;                          // "train.py"; empty: the image's own
  std::optional<std::string> submit_directory;  // where its archive is
  json::object hyper_parameters;                // the user's, decoded
  std::vector<std::string> arguments;           // "--epochs", "3" ...

  // What is run, without the arguments.
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& of_image) const;
};

using Variables = std::map<std::string, std::string>;

// `hyper` as the job was given it; SAGEMAKER_PROGRAM and SAGEMAKER_SUBMIT_DIRECTORY of `variables`
// count where it names none. Throws base::Error(invalid_argument).
[[nodiscard]] ScriptMode read_script_mode(const Variables& hyper, const Variables& variables);

struct TrainingInputs {
  const json::object& channels;  // as in inputdataconfig.json
  const json::object& resources;
};
[[nodiscard]] Variables training_variables(const ScriptMode& script, const TrainingInputs& inputs,
                                           const ContractPlace& place);

}  // namespace andon::workflow
