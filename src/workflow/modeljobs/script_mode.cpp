// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/script_mode.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"
#include "workflow/modeljobs/job_contract.hpp"

namespace andon::workflow {
namespace {

constexpr std::string_view kOwn = "sagemaker_";

json::value decoded(const std::string& text) {
  try {
    return base::parse_json(text, "a hyperparameter", {.max_bytes = 4096, .max_depth = 16});
  } catch (const base::Error&) {
    return json::value(text);
  }
}

// As the toolkit writes it on the command line: Python's own text of it.
std::string word_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_bool()) return value.get_bool() ? "True" : "False";
  if (value.is_null()) return "None";
  return base::to_text(value);
}

std::string text_of(const Variables& map, const std::string& key) {
  const auto found = map.find(key);
  return found == map.end() ? std::string() : word_of(decoded(found->second));
}

std::string upper(std::string_view text) {
  std::string name;
  for (const char c : text) {
    name += base::is_letter_or_digit(c) ? base::to_upper(c) : '_';
  }
  return name;
}

}  // namespace

std::vector<std::string> ScriptMode::command(const std::vector<std::string>& of_image) const {
  if (program.empty()) return of_image;
  std::vector<std::string> words = of_image;
  if (program.ends_with(".sh")) words = {"/bin/sh"};
  words.push_back(program);
  return words;
}

ScriptMode read_script_mode(const Variables& hyper, const Variables& variables) {
  ScriptMode script;
  for (const auto& [name, value] : hyper) {
    if (name.starts_with(kOwn)) continue;
    json::value one = decoded(value);
    script.arguments.push_back((name.size() == 1 ? "-" : "--") + name);
    script.arguments.push_back(word_of(one));
    script.hyper_parameters[name] = std::move(one);
  }
  script.program = text_of(hyper, "sagemaker_program");
  if (script.program.empty()) script.program = text_of(variables, "SAGEMAKER_PROGRAM");
  std::string directory = text_of(hyper, "sagemaker_submit_directory");
  if (directory.empty()) directory = text_of(variables, "SAGEMAKER_SUBMIT_DIRECTORY");
  if (!directory.empty()) script.submit_directory = directory;
  const auto parts = base::split(script.program, '/');
  const bool is_path = script.program.empty() ||
                       (script.program.size() <= 1024 && !script.program.starts_with('-') &&
                        script.program.find('\0') == std::string::npos &&
                        std::ranges::none_of(parts, [](std::string_view part) {
                          return part.empty() || part == "..";
                        }));
  if (!is_path) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "HyperParameters: sagemaker_program '" + script.program.substr(0, 200) +
                          "' is no path below the submit directory, such as train.py");
  }
  if (!script.program.empty() && !script.submit_directory) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "HyperParameters: sagemaker_program '" + script.program.substr(0, 200) +
                          "' needs sagemaker_submit_directory, the archive that it is in");
  }
  return script;
}

Variables training_variables(const ScriptMode& script, const TrainingInputs& inputs,
                             const ContractPlace& place) {
  const std::string& base = place.base;
  json::array channels;
  Variables variables;
  for (const auto& channel : inputs.channels) {
    channels.emplace_back(channel.key());
    variables["SM_CHANNEL_" + upper(channel.key())] =
        base + "/input/data/" + std::string(channel.key());
  }
  for (const auto& one : script.hyper_parameters) {
    variables["SM_HP_" + upper(one.key())] = word_of(one.value());
  }
  std::string module = script.program.substr(0, script.program.rfind('.'));
  std::ranges::replace(module, '/', '.');
  const std::string directory = script.submit_directory.value_or("");
  variables["SAGEMAKER_BASE_DIR"] = base;
  variables["SM_CHANNELS"] = base::to_text(channels);
  variables["SM_CURRENT_HOST"] = "algo-1";
  variables["SM_CURRENT_INSTANCE_TYPE"] = "local";
  variables["SM_FRAMEWORK_MODULE"] = "";
  variables["SM_HOSTS"] = R"(["algo-1"])";
  variables["SM_HPS"] = base::to_text(script.hyper_parameters);
  variables["SM_INPUT_CONFIG_DIR"] = base + "/input/config";
  variables["SM_INPUT_DATA_CONFIG"] = base::to_text(inputs.channels);
  variables["SM_INPUT_DIR"] = base + "/input";
  variables["SM_LOG_LEVEL"] = "20";
  variables["SM_MODEL_DIR"] = base + "/model";
  variables["SM_MODULE_DIR"] = directory;
  variables["SM_MODULE_NAME"] = module;
  variables["SM_NETWORK_INTERFACE_NAME"] = "lo";
  variables["SM_NUM_CPUS"] = std::to_string(place.cpus);
  variables["SM_NUM_GPUS"] = std::to_string(place.gpus);
  variables["SM_OUTPUT_DATA_DIR"] = base + "/output/data";
  variables["SM_OUTPUT_DIR"] = base + "/output";
  variables["SM_OUTPUT_INTERMEDIATE_DIR"] = base + "/output/intermediate";
  variables["SM_RESOURCE_CONFIG"] = base::to_text(inputs.resources);
  variables["SM_USER_ENTRY_POINT"] = script.program;
  variables["SM_USER_ARGS"] =
      base::to_text(json::array(script.arguments.begin(), script.arguments.end()));
  variables["SM_TRAINING_ENV"] =
      base::to_text(json::object{{"channel_input_dirs",
                                  [&] {
                                    json::object places;
                                    for (const auto& channel : inputs.channels) {
                                      places[channel.key()] =
                                          base + "/input/data/" + std::string(channel.key());
                                    }
                                    return places;
                                  }()},
                                 {"current_host", "algo-1"},
                                 {"hosts", json::array{"algo-1"}},
                                 {"hyperparameters", script.hyper_parameters},
                                 {"input_data_config", inputs.channels},
                                 {"input_dir", base + "/input"},
                                 {"input_config_dir", base + "/input/config"},
                                 {"is_master", true},
                                 {"model_dir", base + "/model"},
                                 {"module_dir", directory},
                                 {"module_name", module},
                                 {"num_cpus", place.cpus},
                                 {"num_gpus", place.gpus},
                                 {"output_data_dir", base + "/output/data"},
                                 {"output_dir", base + "/output"},
                                 {"resource_config", inputs.resources},
                                 {"user_entry_point", script.program}});
  return variables;
}

}  // namespace andon::workflow
