// SPDX-License-Identifier: Apache-2.0
#include "vision/detect/detector.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "base/error/error.hpp"
#include "vision/detect/device_graph.hpp"
#include "vision/detect/own_convolutions.hpp"
#include "vision/heads/head.hpp"
#include "vision/heads/metadata.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;
using SteadyClock = std::chrono::steady_clock;

constexpr Size kUsualInput{640, 640};
constexpr std::int64_t kMaxSide = 16'384;
constexpr std::int64_t kMaxBatch = 1024;
constexpr int kUsualStride = 32;

// The first input's dimensions, as the model declares them.
struct InputShape {
  Size size;
  std::size_t batch = 1;
  bool has_free_batch = false;
  bool has_free_size = false;
};

// Pixels two by two (letterbox.hpp), in the shape that they would have as planes.
std::vector<std::int64_t> shape_of_squares(const TensorInfo& input) {
  const auto& shape = input.shape;
  if (shape.size() != 4 || shape[3] != 12) return {};
  const auto side = [](std::int64_t squares) {
    return squares < 0 ? squares : 2 * std::min(squares, kMaxSide);
  };
  return {shape[0], 3, side(shape[1]), side(shape[2])};
}

InputShape read_input(const Session& session, const DetectorOptions& options, bool takes_squares) {
  if (session.inputs().empty()) refuse_model(session, "it has no input");
  const TensorInfo& input = session.inputs().front();
  if (!takes_squares && input.type != ElementType::float32) {
    refuse_model(session, "its first input is not float32");
  }
  const std::vector<std::int64_t> shape = takes_squares ? shape_of_squares(input) : input.shape;
  if (shape.size() != 4 || (shape[1] != 3 && shape[1] >= 0)) {
    refuse_model(session, "its first input is not [batch,3,height,width]");
  }
  Size usual =
      options.input_size ? *options.input_size : options.spec.input_size.value_or(kUsualInput);
  const std::string_view said = metadata_value(session, "imgsz");
  if (!options.input_size && !options.spec.input_size && !said.empty()) {
    usual = parse_image_size(said);
  }
  const auto side = [&](std::int64_t fixed, int otherwise) {
    if (fixed == 0 || fixed > kMaxSide) refuse_model(session, "its input has an impossible size");
    return fixed < 0 ? otherwise : static_cast<int>(fixed);
  };
  InputShape result;
  result.size = {side(shape[3], usual.width), side(shape[2], usual.height)};
  if (shape[0] == 0 || shape[0] > kMaxBatch) {
    refuse_model(session, "its batch has an impossible size");
  }
  result.has_free_batch = shape[0] < 0;
  result.batch = result.has_free_batch ? 1 : static_cast<std::size_t>(shape[0]);
  result.has_free_size = shape[2] < 0 && shape[3] < 0;
  return result;
}

// A second input may only be the pictures' sizes, which models of the DETR family take.
bool takes_sizes(const Session& session) {
  if (session.inputs().size() == 1) return false;
  const TensorInfo& sizes = session.inputs()[1];
  const bool fits = session.inputs().size() == 2 && sizes.type == ElementType::int64 &&
                    sizes.shape.size() == 2 && (sizes.shape[1] == 2 || sizes.shape[1] < 0);
  if (!fits) refuse_model(session, "its inputs are not a picture, or a picture and its size");
  return true;
}

int stride_of(const Session& session) {
  const std::string_view said = metadata_value(session, "stride");
  return said.empty() ? kUsualStride : std::max(kUsualStride, parse_stride(said));
}

std::vector<std::string> labels_of(const Session& session, const ModelSpec& spec,
                                   const HeadPlan& plan) {
  std::vector<std::string> labels = spec.labels;
  const std::string_view names = metadata_value(session, "names");
  if (labels.empty() && !names.empty()) labels = parse_names(names);
  while (plan.counts_classes && labels.size() < plan.classes) {
    labels.push_back(fmt::format("class {}", labels.size()));
  }
  return labels;
}

DetectorOptions with_file(DetectorOptions options, const ModelFile& model) {
  options.spec = model.spec;
  options.session.weights.clear();
  for (const WeightsFile& it : model.weights) {
    options.session.weights.push_back({it.location, it.bytes});
  }
  return options;
}

}  // namespace

// A model as it was given to a detector.
struct Detector::Network {
  std::string_view model;
  std::string_view name;
  std::string_view device_graph;
};

struct Detector::Implementation {
  const OnnxRuntime& runtime;
  Session session;
  std::vector<std::string> passed_over;
  ModelDescription description;
  HeadPlan plan;
  int stride = kUsualStride;
  bool has_sizes = false;
  bool has_free_batch = false;
  bool takes_squares = false;

  // For the shape that is bound now.
  Size size;
  std::size_t batch = 0;
  std::span<float> input;  // or, where the network takes pixels as bytes:
  std::span<std::uint8_t> squares;
  std::span<std::int64_t> sizes;
  std::vector<Letterboxer> letterboxers;  // one a picture of the batch

  std::vector<LetterboxPlan> plans;
  std::unique_ptr<Head> head;
  std::vector<Result> results;
  std::map<int, std::string> made_up_labels;  // of classes beyond the list

  Implementation(const OnnxRuntime& owner, const Network& network, const DetectorOptions& options)
      : Implementation(owner, open(owner, network, options)) {
    try {
      if (description.has_device_graph) understand_device_graph(network, options);
      if (!description.has_device_graph) understand(options);
    } catch (Error& error) {
      if (error.message().starts_with(network.name)) throw;
      throw error.with_context(std::string(network.name));
    }
    release();  // the first run's blocks have other sizes
  }

  struct Opened {
    Session session;
    std::vector<std::string> passed_over;
    bool is_device_graph = false;
  };
  Implementation(const OnnxRuntime& owner, Opened opened)
      : runtime(owner),
        session(std::move(opened.session)),
        passed_over(std::move(opened.passed_over)) {
    description.has_device_graph = opened.is_device_graph;
  }

  static Opened open(const OnnxRuntime& owner, const Network& network,
                     const DetectorOptions& options) {
    const auto ordinary = [&] {
      Session opened(owner, network.model, network.name, options.session);
      std::vector<std::string> why_not = opened.passed_over();
      return Opened{std::move(opened), std::move(why_not), false};
    };
    if (network.device_graph.empty() || options.graph == DetectorOptions::Graph::ordinary) {
      return ordinary();
    }
    // It is written for the CPU: whoever has something better runs the model itself.
    std::optional<Opened> first;
    if (!options.session.providers.empty()) {
      first = ordinary();
      if (first->session.provider() != "CPU") return std::move(*first);
    }
    std::vector<std::string> passed_over;
    if (first) passed_over = first->passed_over;
    try {
      return open_device_graph(owner, network, options, std::move(passed_over));
    } catch (const Error& error) {
      if (!first) first = ordinary();
      first->passed_over.push_back("device graph: " + error.message());
      return std::move(*first);
    }
  }

  static Opened open_device_graph(const OnnxRuntime& owner, const Network& network,
                                  const DetectorOptions& options,
                                  std::vector<std::string> passed_over) {
    SessionOptions own = options.session;
    own.providers.clear();
    own.weights = {{std::string(kDeviceGraphWeights), network.model}};
    if (options.graph == DetectorOptions::Graph::device) {
      try {
        if (const auto faster = as_this_processor_runs(network.device_graph)) {
          return {Session(owner, *faster, network.name, own), passed_over, true};
        }
      } catch (const Error& error) {
        passed_over.push_back("own convolutions: " + error.message());
      }
    }
    return {Session(owner, network.device_graph, network.name, own), passed_over, true};
  }

  // The ordinary model instead, where the device graph does not do for what is asked.
  void understand_device_graph(const Network& network, const DetectorOptions& options) {
    std::string problem;
    try {
      const std::vector<TensorInfo>& inputs = session.inputs();
      takes_squares = !inputs.empty() && inputs.front().type == ElementType::uint8;
      understand(options);
      const Preprocessing& wanted = description.preprocessing;
      const Preprocessing plain;
      if (!takes_squares || (wanted.mean == plain.mean && wanted.deviation == plain.deviation &&
                             wanted.divisor == plain.divisor)) {
        return;
      }
      problem = "it takes pixels as they are, over 255";
    } catch (const Error& error) {
      problem = error.message();
    }
    DetectorOptions ordinary = options;
    ordinary.graph = DetectorOptions::Graph::ordinary;
    Opened opened = open(runtime, network, ordinary);
    session = std::move(opened.session);
    passed_over = std::move(opened.passed_over);
    passed_over.push_back("device graph: " + problem);
    takes_squares = false;
    description = {};
  }

  Implementation(const Implementation& other, Session own_session)
      : runtime(other.runtime),
        session(std::move(own_session)),
        passed_over(other.passed_over),
        description(other.description),
        plan(other.plan),
        stride(other.stride),
        has_sizes(other.has_sizes),
        has_free_batch(other.has_free_batch),
        takes_squares(other.takes_squares) {
    start();
    bind(description.input, has_free_batch ? 1 : description.max_batch);
  }

  void release() const { runtime.release_unused_memory(); }

  void understand(const DetectorOptions& options) {
    const InputShape shape = read_input(session, options, takes_squares);
    has_sizes = takes_sizes(session);
    has_free_batch = shape.has_free_batch;
    stride = stride_of(session);
    const std::vector<std::size_t> readable = readable_outputs(session);
    if (readable.empty()) refuse_model(session, "it has no output of float32 or int64");
    session.select_outputs(readable);
    bind(shape.size, shape.batch);
    plan = recognise(session, options.spec, shape.size, session.run());
    if (has_sizes != (plan.kind == HeadKind::detr)) {
      refuse_model(session, "a second input goes with labels, boxes and scores only");
    }
    description.labels = labels_of(session, options.spec, plan);
    description.input = shape.size;
    description.anchors = plan.anchors;
    description.task = task_of(plan.kind);
    description.head = plan.kind;
    description.why = plan.why;
    stride = std::max(stride, plan.stride);
    description.preprocessing = preprocessing_of(plan.kind, session, options.spec, shape.size);
    description.follows_picture = shape.has_free_size && !options.input_size &&
                                  !options.spec.input_size &&
                                  description.preprocessing.fit == Fit::letterbox;
    description.max_batch =
        shape.has_free_batch ? std::max<std::size_t>(1, options.max_batch) : shape.batch;
    description.provider = session.provider();
    start();
    bind(shape.size, shape.batch);
  }

  void start() {
    session.select_outputs(plan.outputs);
    head = make_head(plan);
    results.resize(description.max_batch);
    plans.resize(description.max_batch);
  }

  void bind(Size wanted, std::size_t count) {
    size = wanted;
    batch = count;
    const auto pictures = static_cast<std::int64_t>(count);
    if (takes_squares) {
      if (wanted.height % 2 != 0 || wanted.width % 2 != 0) {
        refuse_model(session, "its input has no whole squares of pixels");
      }
      squares = session.bind_bytes({pictures, wanted.height / 2, wanted.width / 2, 12});
    } else {
      input = session.bind_input({pictures, 3, wanted.height, wanted.width});
    }
    if (has_sizes) {
      sizes = session.bind_integers({pictures, 2}, 1);
      std::fill(sizes.begin(), sizes.end(), 1);
    }
    letterboxers.clear();
    for (std::size_t i = 0; i < count; ++i) {
      letterboxers.emplace_back(wanted, description.preprocessing);
    }
  }

  [[nodiscard]] Size size_for(std::span<const Image* const> images) const {
    if (!description.follows_picture) return description.input;
    const Size first = images.front()->full_size();
    const bool are_alike = std::all_of(images.begin(), images.end(), [&](const Image* image) {
      return image->full_size() == first;
    });
    return are_alike ? smallest_input(first, description.input, stride) : description.input;
  }

  std::span<const Result> detect(std::span<const Image* const> images,
                                 const DetectionOptions& options) {
    if (images.empty() || images.size() > description.max_batch) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{} takes 1 to {} pictures at once, not {}", session.name(),
                              description.max_batch, images.size()));
    }
    const auto start_time = SteadyClock::now();
    const Size wanted = size_for(images);
    const std::size_t wanted_batch = has_free_batch ? images.size() : batch;
    if (wanted != size || wanted_batch != batch) bind(wanted, wanted_batch);
    const std::size_t picture_size = std::max(input.size(), squares.size()) / batch;
    for (std::size_t i = 0; i < images.size(); ++i) {
      const std::size_t first = i * picture_size;
      plans[i] = takes_squares
                     ? letterboxers[i].fill(*images[i], squares.subspan(first, picture_size))
                     : letterboxers[i].fill(*images[i], input.subspan(first, picture_size));
      if (!has_sizes) continue;
      sizes[2 * i] = plans[i].source.width;
      sizes[2 * i + 1] = plans[i].source.height;
    }
    const auto filled = SteadyClock::now();
    const std::span<const Session::Output> outputs = session.run();
    const auto inferred = SteadyClock::now();
    check_outputs(plan, session, outputs, size, batch);
    for (std::size_t i = 0; i < images.size(); ++i) {
      head->decode(outputs, i, plans[i], options, results[i]);
    }
    const auto decoded = SteadyClock::now();
    for (std::size_t i = 0; i < images.size(); ++i) {
      results[i].preprocess = filled - start_time;
      results[i].inference = inferred - filled;
      results[i].postprocess = decoded - inferred;
    }
    return std::span<const Result>(results).first(images.size());
  }
};

Detector::Detector(const OnnxRuntime& runtime, std::string_view model, std::string_view name,
                   const DetectorOptions& options)
    : implementation_(
          std::make_unique<Implementation>(runtime, Network{model, name, {}}, options)) {}
Detector::Detector(const OnnxRuntime& runtime, const ModelFile& model,
                   const DetectorOptions& options)
    : implementation_(std::make_unique<Implementation>(
          runtime, Network{model.bytes, model.name, model.device_graph},
          with_file(options, model))) {}
Detector::Detector(std::unique_ptr<Implementation> implementation)
    : implementation_(std::move(implementation)) {}
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;
Detector::~Detector() = default;

Detector Detector::sibling() const {
  return Detector(
      std::make_unique<Implementation>(*implementation_, implementation_->session.sibling()));
}

const ModelDescription& Detector::description() const {
  return implementation_->description;
}

std::string_view Detector::label(int class_id) const {
  const std::vector<std::string>& labels = implementation_->description.labels;
  const auto index = static_cast<std::size_t>(class_id);
  if (class_id >= 0 && index < labels.size()) return labels[index];
  std::string& made_up = implementation_->made_up_labels[class_id];
  if (made_up.empty()) made_up = fmt::format("class {}", class_id);
  return made_up;
}

const std::vector<std::string>& Detector::passed_over_providers() const {
  return implementation_->passed_over;
}

void Detector::release_unused_memory() const {
  implementation_->release();
}

const Detector::Result& Detector::detect(const Image& image, const DetectionOptions& options) {
  const Image* const images[] = {&image};
  return implementation_->detect(images, options).front();
}

std::span<const Detector::Result> Detector::detect(std::span<const Image* const> images,
                                                   const DetectionOptions& options) {
  return implementation_->detect(images, options);
}

}  // namespace andon::vision
