// SPDX-License-Identifier: Apache-2.0
#include "workflow/modeljobs/job_contract.hpp"

#include <algorithm>
#include <set>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/split.hpp"
#include "query/regex/regex.hpp"
#include "workflow/jobs/job_place.hpp"
#include "workflow/modeljobs/script_mode.hpp"

namespace andon::workflow {
namespace {

using base::JsonReader;

constexpr std::size_t kMostHyperParameters = 100;
constexpr std::size_t kMostVariables = 100;
constexpr std::size_t kMostTextBytes = 2500;  // of one of them
constexpr std::size_t kMostChannels = 20;
constexpr std::size_t kMostPlaces = 100;  // inputs or outputs of a processing job
constexpr std::size_t kMostMetrics = 40;
constexpr std::size_t kMostWords = 100;
constexpr std::size_t kMostWordBytes = 256U << 4U;
constexpr std::int64_t kLongestTraining = 2'419'200;  // 28 days
constexpr std::int64_t kLongestProcessing = 777'600;  // 9 days
constexpr std::int64_t kMostInstances = 100;

bool is_plain_name(std::string_view name, std::string_view others, std::size_t most) {
  return !name.empty() && name.size() <= most &&
         std::ranges::all_of(name, [others](unsigned char c) {
           return std::isalnum(c) != 0 || others.find(static_cast<char>(c)) != others.npos;
         });
}

JsonReader reader_of(const ModelJob& job) {
  return JsonReader(job.request, "", {.separator = ": "});
}

std::map<std::string, std::string> texts_of(const JsonReader& reader, std::string_view key,
                                            std::size_t most) {
  auto texts = reader.string_map(key);
  if (texts.size() > most) {
    reader.fail(key, "has more than " + std::to_string(most) + " entries");
  }
  for (const auto& [name, value] : texts) {
    if (name.empty() || name.size() > 512 || value.size() > kMostTextBytes ||
        (name + value).find('\0') != std::string::npos) {
      reader.fail(key, "has an entry that is too long, empty or has a NUL character, at '" +
                           name.substr(0, 100) + "'");
    }
  }
  return texts;
}

std::map<std::string, std::string> environment_of(const JsonReader& reader) {
  auto variables = texts_of(reader, "Environment", kMostVariables);
  for (const auto& [name, value] : variables) {
    if (!is_plain_name(name, "_", 512) || std::isdigit(static_cast<unsigned char>(name[0])) != 0) {
      reader.fail("Environment",
                  "has '" + name.substr(0, 100) + "', which is no name of a variable");
    }
  }
  return variables;
}

std::vector<std::string> words_of(const JsonReader& reader, std::string_view key) {
  auto words = reader.strings(key, kMostWords + 1);
  if (words.size() > kMostWords) reader.fail(key, "has more than 100 words");
  for (const std::string& word : words) {
    if (word.size() > kMostWordBytes || word.find('\0') != std::string::npos) {
      reader.fail(key, "has a word that is too long or has a NUL character");
    }
  }
  return words;
}

void check_instances(const JsonReader& reader) {
  if (reader.optional_integer("InstanceCount", 1, kMostInstances).value_or(1) > 1) {
    reader.fail("InstanceCount", "must be 1: jobs run on this one machine");
  }
}

std::chrono::seconds timeout_of(const JsonReader& request, std::int64_t longest) {
  constexpr std::int64_t kDay = 86'400;
  if (!request.has("StoppingCondition")) return std::chrono::seconds(kDay);
  const JsonReader condition = request.child("StoppingCondition");
  return std::chrono::seconds(
      condition.optional_integer("MaxRuntimeInSeconds", 1, longest).value_or(kDay));
}

void check_one_of(const JsonReader& reader, std::string_view key,
                  std::initializer_list<std::string_view> words, std::string_view instead) {
  const auto given = reader.optional_string(key);
  if (!given || std::ranges::find(words, *given) != words.end()) return;
  reader.fail(
      key, "is '" + given->substr(0, 100) + "', which is not done here: " + std::string(instead));
}

// "/opt/ml/processing/input/x" -> "ml/processing/input/x".
std::string below_ml(const JsonReader& reader, std::string_view key) {
  const std::string path = reader.required_text(key);
  const std::string prefix = std::string(kMlPlace) + "/";
  std::string_view rest(path);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  const bool is_below = rest.starts_with(prefix);
  if (is_below) rest.remove_prefix(prefix.size());
  const auto parts = base::split(rest, '/');
  const bool is_good = is_below && path.size() <= 256 && path.find('\0') == std::string::npos &&
                       std::ranges::none_of(parts, [](std::string_view part) {
                         return part.empty() || part == "." || part == ".." || part.size() > 255;
                       });
  if (!is_good) {
    reader.fail(key, "is '" + path.substr(0, 100) +
                         "', which is no path below /opt/ml, such as /opt/ml/processing/input");
  }
  return std::string(kMlDirectory) + "/" + std::string(rest);
}

json::object resource_config() {
  return {
      {"current_host", "algo-1"},
      {"current_instance_type", "local"},
      {"current_group_name", "homogeneousCluster"},
      {"hosts", json::array{"algo-1"}},
      {"instance_groups", json::array{json::object{{"instance_group_name", "homogeneousCluster"},
                                                   {"instance_type", "local"},
                                                   {"hosts", json::array{"algo-1"}}}}},
      {"network_interface_name", "lo"}};
}

JobContract begin_contract(const ImageCommand& image, const ContractPlace& place) {
  JobContract contract;
  contract.limits = image.limits;
  contract.ports = image.ports;
  contract.command.environment = job_environment();
  auto& variables = contract.command.environment;
  variables["AWS_REGION"] = place.region;
  variables["AWS_DEFAULT_REGION"] = place.region;
  variables["PYTHONUNBUFFERED"] = "1";
  for (const auto& [name, value] : image.environment) variables[name] = value;
  return contract;
}

void check_total(const JobContract& contract) {
  constexpr std::size_t kMost = 512U << 10U;
  std::size_t bytes = 0;
  for (const std::string& word : contract.command.arguments) bytes += word.size() + 1;
  for (const auto& [name, value] : contract.command.environment) {
    bytes += name.size() + value.size() + 2;
  }
  if (bytes > kMost) {
    throw base::Error(base::ErrorCode::invalid_argument,
                      "the job's words and variables have more than 524288 bytes together");
  }
}

void read_channels(const JsonReader& request, JobContract& contract, json::object& config) {
  std::set<std::string> names;
  for (const JsonReader& channel : request.children("InputDataConfig")) {
    const std::string name = channel.required_text("ChannelName");
    if (!is_plain_name(name, "-_.", 64) || name == "." || name == ".." ||
        !names.insert(name).second || names.size() > kMostChannels) {
      channel.fail("ChannelName",
                   "must be a name of its own of 1 to 64 letters, digits, '-', '_', "
                   "'.', for at most 20 channels");
    }
    const JsonReader source = channel.child("DataSource");
    if (!source.has("S3DataSource")) source.fail("S3DataSource", "is missing: data come from S3");
    const JsonReader s3 = source.child("S3DataSource");
    check_one_of(s3, "S3DataType", {"S3Prefix", "ManifestFile"}, "give S3Prefix or ManifestFile");
    check_one_of(channel, "CompressionType", {"None"}, "unpack in the program");
    check_one_of(channel, "RecordWrapperType", {"None"}, "give None");
    check_one_of(channel, "InputMode", {"File", "FastFile"}, "give File");
    const std::string uri = s3.required_text("S3Uri");
    (void)parse_s3_uri(uri, s3.place("S3Uri"));
    contract.sources.push_back({.name = name,
                                .directory = std::string(kMlDirectory) + "/input/data/" + name,
                                .uri = uri,
                                .is_manifest = s3.optional_string("S3DataType") == "ManifestFile"});
    json::object told{{"TrainingInputMode", "File"},
                      {"S3DistributionType", "FullyReplicated"},
                      {"RecordWrapperType", "None"}};
    if (const auto type = channel.optional_string("ContentType")) told["ContentType"] = *type;
    config[name] = std::move(told);
  }
}

// Where the program is; the archive that it comes in is noted. A directory of a channel may be the
// submit directory itself.
std::string put_code(const ScriptMode& script, const ContractPlace& place, JobContract& contract) {
  std::string code = place.base + "/code";
  if (script.submit_directory && script.submit_directory->starts_with("s3://")) {
    (void)parse_s3_uri(*script.submit_directory, "sagemaker_submit_directory");
    contract.submit_directory = script.submit_directory;
  } else if (script.submit_directory) {
    const json::object given{{"sagemaker_submit_directory", *script.submit_directory}};
    const std::string below = below_ml(JsonReader(given, ""), "sagemaker_submit_directory");
    if (below.ends_with(".tar.gz")) {
      contract.submit_directory = below;
    } else {
      code = place.base + below.substr(std::string_view(kMlDirectory).size());
    }
  }
  auto& path = contract.command.environment["PYTHONPATH"];
  path = path.empty() ? code : code + ":" + path;
  return code;
}

void check_metrics(const JsonReader& algorithm) {
  const auto definitions = algorithm.children("MetricDefinitions");
  if (definitions.size() > kMostMetrics) {
    algorithm.fail("MetricDefinitions", "has more than 40 metrics");
  }
  for (const JsonReader& definition : definitions) {
    (void)definition.required_text("Name");
    const std::string pattern = definition.required_text("Regex");
    if (pattern.size() > 500) definition.fail("Regex", "is longer than 500 bytes");
    try {
      const query::Regex regex(pattern, {});
    } catch (const base::Error& error) {
      definition.fail("Regex", error.message());
    }
  }
}

}  // namespace

std::string image_of(const ModelJob& job) {
  const bool trains = job.kind == ModelJobKind::training;
  const JsonReader algorithm =
      reader_of(job).child(trains ? "AlgorithmSpecification" : "AppSpecification");
  return algorithm.required_text(trains ? "TrainingImage" : "ImageUri");
}

JobContract training_contract(const ModelJob& job, const ImageCommand& image,
                              const ContractPlace& place) {
  const JsonReader request = reader_of(job);
  JobContract contract = begin_contract(image, place);
  contract.timeout = timeout_of(request, kLongestTraining);
  if (request.has("ResourceConfig")) check_instances(request.child("ResourceConfig"));
  const JsonReader algorithm = request.child("AlgorithmSpecification");
  check_one_of(algorithm, "TrainingInputMode", {"File", "FastFile"}, "give File");
  check_metrics(algorithm);
  const JsonReader output = request.child("OutputDataConfig");
  (void)parse_s3_uri(output.required_text("S3OutputPath"), output.place("S3OutputPath"));
  check_one_of(output, "CompressionType", {"GZIP", "NONE"}, "give GZIP or NONE");

  const std::string ml = std::string(kMlDirectory) + "/";
  json::object channels;
  read_channels(request, contract, channels);
  const auto hyper = texts_of(request, "HyperParameters", kMostHyperParameters);
  json::object hyper_file;
  for (const auto& [name, value] : hyper) hyper_file[name] = value;
  contract.files[ml + "input/config/hyperparameters.json"] = base::to_text(hyper_file);
  contract.files[ml + "input/config/inputdataconfig.json"] = base::to_text(channels);
  contract.files[ml + "input/config/resourceconfig.json"] = base::to_text(resource_config());
  for (const char* name : {"input/data", "model", "output/data", "code", "checkpoints"}) {
    contract.directories.push_back(ml + name);
  }

  auto& variables = contract.command.environment;
  for (auto& [name, value] : environment_of(request)) variables[name] = value;
  const ScriptMode script = read_script_mode(hyper, variables);
  for (auto& [name, value] :
       training_variables(script, {.channels = channels, .resources = resource_config()}, place)) {
    variables[name] = value;
  }
  variables["TRAINING_JOB_NAME"] = job.name;
  variables["TRAINING_JOB_ARN"] = job.arn;
  const std::string code = put_code(script, place, contract);

  auto& words = contract.command.arguments;
  words = words_of(algorithm, "ContainerEntrypoint");
  auto more = words_of(algorithm, "ContainerArguments");
  if (words.empty()) {
    words = script.command(image.command);
    if (!script.program.empty()) more = script.arguments;
  }
  words.insert(words.end(), more.begin(), more.end());
  contract.command.directory = code;
  check_total(contract);
  return contract;
}

JobContract processing_contract(const ModelJob& job, const ImageCommand& image,
                                const ContractPlace& place) {
  const JsonReader request = reader_of(job);
  JobContract contract = begin_contract(image, place);
  contract.timeout = timeout_of(request, kLongestProcessing);
  check_instances(request.child("ProcessingResources").child("ClusterConfig"));
  const JsonReader app = request.child("AppSpecification");

  const auto inputs = request.children("ProcessingInputs");
  if (inputs.size() > kMostPlaces) request.fail("ProcessingInputs", "has more than 100 inputs");
  for (const JsonReader& input : inputs) {
    if (!input.has("S3Input")) input.fail("S3Input", "is missing: inputs come from S3");
    const JsonReader s3 = input.child("S3Input");
    check_one_of(s3, "S3DataType", {"S3Prefix", "ManifestFile"}, "give S3Prefix or ManifestFile");
    check_one_of(s3, "S3InputMode", {"File"}, "give File");
    check_one_of(s3, "S3CompressionType", {"None"}, "unpack in the program");
    const std::string uri = s3.required_text("S3Uri");
    (void)parse_s3_uri(uri, s3.place("S3Uri"));
    contract.sources.push_back({.name = input.required_text("InputName"),
                                .directory = below_ml(s3, "LocalPath"),
                                .uri = uri,
                                .is_manifest = s3.optional_string("S3DataType") == "ManifestFile"});
  }
  if (request.has("ProcessingOutputConfig")) {
    const auto outputs = request.child("ProcessingOutputConfig").children("Outputs");
    if (outputs.size() > kMostPlaces) {
      request.fail("ProcessingOutputConfig", "has more than 100 outputs");
    }
    for (const JsonReader& output : outputs) {
      if (!output.has("S3Output")) output.fail("S3Output", "is missing: outputs go to S3");
      const JsonReader s3 = output.child("S3Output");
      check_one_of(s3, "S3UploadMode", {"EndOfJob"}, "give EndOfJob");
      const std::string uri = s3.required_text("S3Uri");
      (void)parse_s3_uri(uri, s3.place("S3Uri"));
      contract.sinks.push_back({.name = output.required_text("OutputName"),
                                .directory = below_ml(s3, "LocalPath"),
                                .uri = uri});
      contract.directories.push_back(contract.sinks.back().directory);
    }
  }
  const std::string ml = std::string(kMlDirectory) + "/";
  contract.directories.push_back(ml + "output");
  contract.files[ml + "config/resourceconfig.json"] = base::to_text(resource_config());
  json::object told = job.request;
  told["ProcessingJobArn"] = job.arn;
  contract.files[ml + "config/processingjobconfig.json"] = base::to_text(told);

  auto& variables = contract.command.environment;
  for (auto& [name, value] : environment_of(request)) variables[name] = value;
  variables["SAGEMAKER_BASE_DIR"] = place.base;
  variables["PROCESSING_JOB_NAME"] = job.name;
  variables["PROCESSING_JOB_ARN"] = job.arn;
  auto& words = contract.command.arguments;
  words = words_of(app, "ContainerEntrypoint");
  if (words.empty()) words = image.command;
  const auto more = words_of(app, "ContainerArguments");
  words.insert(words.end(), more.begin(), more.end());
  contract.command.directory = place.base;
  check_total(contract);
  return contract;
}

void check_request(const ModelJob& job) {
  const ImageCommand nothing{.image = "*", .command = {"true"}, .environment = {}, .ports = {}};
  (void)image_of(job);
  (void)(job.kind == ModelJobKind::training ? training_contract(job, nothing, {})
                                            : processing_contract(job, nothing, {}));
}

}  // namespace andon::workflow
