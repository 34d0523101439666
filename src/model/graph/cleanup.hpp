// SPDX-License-Identifier: Apache-2.0
// Passes that change how a graph is written and not what it computes. Each says what it did, in
// words for the report; nothing where it found nothing to do. They throw before they change
// anything, or leave a node alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/graph/model.hpp"
#include "vision/pixels/image.hpp"
#include "vision/runtime/onnxruntime.hpp"

namespace andon::model {

// All of them in order, then the proof: outputs before and after on random inputs. Throws
// internal where they differ by more than rounding.
[[nodiscard]] std::vector<std::string> clean_up(const vision::OnnxRuntime& runtime, Model& model,
                                                std::optional<vision::Size> input_size);

// Constant nodes become initialisers; what is computed from constants alone (and shapes, where
// the inputs' shapes are fixed) is computed now. Results above 16 MB are left to be computed.
[[nodiscard]] std::string fold_constants(const vision::OnnxRuntime& runtime, Model& model,
                                         std::optional<vision::Size> input_size);
// BatchNormalization behind a convolution goes into its weights and bias.
[[nodiscard]] std::string fuse_batch_normalization(Model& model);
// Identity, and Dropout as it is outside training.
[[nodiscard]] std::string remove_identities(Model& model);

// To opset 13, the first with a scale for each channel: Split, Squeeze, Unsqueeze and ReduceSum
// take their axes as an input, Softmax and its kind work on one axis. Newer models stay as
// they are.
inline constexpr int kQuantisableOpset = 13;
[[nodiscard]] std::string raise_opset(const vision::OnnxRuntime& runtime, Model& model,
                                      std::optional<vision::Size> input_size);

// Weights of 1 KiB and more are stored as float16 and read back as float32: half the file, the
// same inputs, outputs and arithmetic. Those that float16 cannot hold stay.
[[nodiscard]] std::string store_half_weights(Model& model);

}  // namespace andon::model
