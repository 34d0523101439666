// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/operators.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <vector>

#include "vision/operators/byte_table.hpp"
#include "vision/operators/convolution_operator.hpp"
#include "vision/operators/operator_call.hpp"

namespace andon::vision {
namespace {

using namespace operators;

constexpr std::int64_t kMostTimes = 16;

// ONNX Runtime is no C++ that exceptions may cross.
template <typename Work>
abi::Status* guarded(const abi::Api& api, const Work& work) noexcept {
  try {
    work();
    return nullptr;
  } catch (const std::exception& error) {
    return api.create_status(abi::kInvalidArgument, error.what());
  }
}
// What a node of each kind is at work. `run` is called by several threads at once.
struct LutU8 {
  static constexpr const char* kName = "LutU8";
  static constexpr bool kManyInputs = false;
  ByteTable table;

  LutU8(const abi::Api& api, const abi::KernelInfo* info) {
    const std::vector<ByteTable> tables = tables_of(api, info, "table");
    if (tables.size() != 1) refuse("LutU8 has one table");
    table = tables.front();
  }

  void run(const Call& call) const {
    const Bytes from = call.input(0);
    std::uint8_t* to = call.output({from.shape.data(), from.rank});
    call.share_rows(from.count, 1, [&](std::size_t first, std::size_t last) {
      best_byte_table().look_up(table, from.data + first, to + first, {.bytes = last - first});
    });
  }
};

struct CutU8 {
  static constexpr const char* kName = "CutU8";
  static constexpr bool kManyInputs = false;
  ByteTable table;
  std::int64_t first = 0;
  std::int64_t size = 0;

  CutU8(const abi::Api& api, const abi::KernelInfo* info) : table(LutU8(api, info).table) {
    check(api, api.attribute_integer(info, "first", &first));
    check(api, api.attribute_integer(info, "size", &size));
    if (first < 0 || size < 1)
      refuse("CutU8 cuts one channel at least, from none before the first");
  }

  void run(const Call& call) const {
    const Bytes whole = call.input(0);
    const std::int64_t channels = whole.shape[whole.rank - 1];
    if (size > channels || first > channels - size)
      refuse("CutU8 cuts channels that are not there");
    Bytes part = whole;
    part.shape[part.rank - 1] = size;
    std::uint8_t* to = call.output({part.shape.data(), part.rank});
    const std::uint8_t* from = whole.data + first;
    const std::size_t stride = whole.channels();
    const std::size_t bytes = part.channels();
    call.share_rows(whole.count / stride, stride, [&](std::size_t begin, std::size_t end) {
      best_byte_table().look_up(table, from + begin * stride, to + begin * bytes,
                                {end - begin, bytes, stride, bytes});
    });
  }
};

struct ConcatU8 {
  static constexpr const char* kName = "ConcatU8";
  static constexpr bool kManyInputs = true;
  struct Part {
    ByteTable table;
    bool changes_nothing = true;
  };
  std::vector<Part> parts;

  ConcatU8(const abi::Api& api, const abi::KernelInfo* info) {
    for (const ByteTable& table : tables_of(api, info, "tables")) {
      Part& part = parts.emplace_back(Part{table, true});
      for (std::size_t i = 0; i < table.size(); ++i) {
        part.changes_nothing = part.changes_nothing && table[i] == i;
      }
    }
  }

  void run(const Call& call) const {
    if (call.inputs() != parts.size()) refuse("ConcatU8 has a table for each input");
    std::array<Bytes, kMostInputs> inputs{};
    Bytes whole;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      inputs[i] = call.input(i);
      if (i == 0) {
        whole = inputs[i];
        continue;
      }
      const Bytes& other = inputs[i];
      if (other.rank != whole.rank ||
          !std::equal(other.shape.begin(), other.shape.begin() + (other.rank - 1),
                      whole.shape.begin())) {
        refuse("the inputs of ConcatU8 differ in more than their last dimension");
      }
      whole.shape[whole.rank - 1] += other.shape[other.rank - 1];
    }
    std::uint8_t* to = call.output({whole.shape.data(), whole.rank});
    const std::size_t stride = whole.channels();
    if (stride == 0) return;
    std::size_t rows = 1;
    for (std::size_t i = 0; i + 1 < whole.rank; ++i) {
      rows *= static_cast<std::size_t>(whole.shape[i]);
    }
    call.share_rows(rows, stride, [&](std::size_t first, std::size_t last) {
      std::uint8_t* place = to + first * stride;
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::size_t bytes = inputs[i].channels();
        if (bytes == 0) continue;
        const std::uint8_t* from = inputs[i].data + first * bytes;
        const ByteRows some{last - first, bytes, bytes, stride};
        if (parts[i].changes_nothing) {
          copy(from, place, some);
        } else {
          best_byte_table().look_up(parts[i].table, from, place, some);
        }
        place += bytes;
      }
    });
  }

  static void copy(const std::uint8_t* from, std::uint8_t* to, const ByteRows& rows) {
    for (std::size_t row = 0; row < rows.rows; ++row) {
      std::memcpy(to + row * rows.to_stride, from + row * rows.from_stride, rows.bytes);
    }
  }
};

struct RepeatU8 {
  static constexpr const char* kName = "RepeatU8";
  static constexpr bool kManyInputs = false;
  std::int64_t times = 0;

  RepeatU8(const abi::Api& api, const abi::KernelInfo* info) {
    check(api, api.attribute_integer(info, "times", &times));
    if (times < 1 || times > kMostTimes) refuse("RepeatU8 repeats 1 to 16 times");
  }

  void run(const Call& call) const {
    const Bytes from = call.input(0);
    if (from.rank != 4) refuse("the input of RepeatU8 has not four dimensions");
    Bytes whole = from;
    for (const std::size_t side : {1U, 2U}) {
      if (__builtin_mul_overflow(from.shape[side], times, &whole.shape[side])) {
        refuse("the input of RepeatU8 is too large");
      }
    }
    std::uint8_t* to = call.output({whole.shape.data(), whole.rank});
    const std::size_t bytes = from.channels();
    const auto columns = static_cast<std::size_t>(from.shape[2]);
    const auto lines = static_cast<std::size_t>(from.shape[0] * from.shape[1]);
    const std::size_t line_bytes = columns * bytes * static_cast<std::size_t>(times);
    const std::uint8_t* pixel = from.data;
    for (std::size_t line = 0; line < lines; ++line) {
      const std::uint8_t* first_line = to;
      for (std::size_t column = 0; column < columns; ++column, pixel += bytes) {
        for (std::int64_t i = 0; i < times; ++i, to += bytes) std::memcpy(to, pixel, bytes);
      }
      for (std::int64_t i = 1; i < times; ++i, to += line_bytes) {
        std::memcpy(to, first_line, line_bytes);
      }
    }
  }
};
// A kernel as ONNX Runtime holds it.
template <typename Kind>
struct Kernel {
  const abi::Api& api;
  Kind kind;
};

struct OwnOperator : abi::Operator {
  const abi::Api* api = nullptr;
};

template <typename Kind>
OwnOperator describe(const abi::Api& api) {
  OwnOperator it{};
  it.api = &api;
  it.version = abi::kApiVersion;
  it.name = [](const abi::Operator*) { return Kind::kName; };
  it.provider = [](const abi::Operator*) -> const char* { return nullptr; };
  it.output_count = [](const abi::Operator*) { return std::size_t{1}; };
  if constexpr (requires { Kind::kTypes; }) {
    it.output_type = [](const abi::Operator*, std::size_t) { return Kind::kOutput; };
    it.input_type = [](const abi::Operator*, std::size_t index) { return Kind::kTypes.at(index); };
    it.input_count = [](const abi::Operator*) { return Kind::kTypes.size(); };
    it.input_arity = [](const abi::Operator*, std::size_t index) {
      return index == Kind::kBias ? abi::Arity::optional : abi::Arity::required;
    };
  } else {
    it.output_type = [](const abi::Operator*, std::size_t) { return abi::ElementType::uint8; };
    it.input_type = it.output_type;
    it.input_count = it.output_count;
    it.input_arity = [](const abi::Operator*, std::size_t) {
      return Kind::kManyInputs ? abi::Arity::variadic : abi::Arity::required;
    };
  }
  it.output_arity = [](const abi::Operator*, std::size_t) { return abi::Arity::required; };
  it.input_memory = [](const abi::Operator*, std::size_t) { return 0; };
  it.fewest_inputs = [](const abi::Operator*) { return 1; };
  it.inputs_are_alike = it.fewest_inputs;
  it.fewest_outputs = it.fewest_inputs;
  it.outputs_are_alike = it.fewest_inputs;
  it.create_kernel = [](const abi::Operator* self, const void* const*, const abi::KernelInfo* info,
                        void** kernel) {
    const abi::Api& own = *static_cast<const OwnOperator*>(self)->api;
    return guarded(own, [&] { *kernel = new Kernel<Kind>{own, Kind(own, info)}; });
  };
  it.destroy_kernel = [](void* kernel) { delete static_cast<Kernel<Kind>*>(kernel); };
  it.run = [](void* kernel, abi::KernelContext* context) {
    const auto& own = *static_cast<const Kernel<Kind>*>(kernel);
    return guarded(own.api, [&] { own.kind.run(Call(own.api, context)); });
  };
  it.first_version = [](const abi::Operator*) { return 1; };
  it.last_version = it.first_version;
  return it;
}

// A table may be applied where its input lies.
std::size_t first_for_first(int** inputs, int** outputs) {
  *inputs = new int(0);
  *outputs = new int(0);
  return 1;
}
void free_first_for_first(int* inputs, int* outputs) {
  delete inputs;
  delete outputs;
}

}  // namespace

struct Operators::Implementation {
  const abi::Api& api;
  std::array<OwnOperator, 6> operators;
  abi::OperatorDomain* domain = nullptr;

  explicit Implementation(const abi::Api& functions)
      : api(functions), operators{describe<LutU8>(functions),    describe<CutU8>(functions),
                                  describe<ConcatU8>(functions), describe<RepeatU8>(functions),
                                  describe<ConvU8>(functions),   describe<ConvF32>(functions)} {
    operators.front().may_share = first_for_first;
    operators.front().free_may_share = free_first_for_first;
    check(api, api.create_operator_domain("andon", &domain));
    for (const OwnOperator& it : operators) check(api, api.add_operator(domain, &it));
  }
  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;
  ~Implementation() {
    if (domain != nullptr) api.release_operator_domain(domain);
  }
};

Operators::Operators(const abi::Api& api)
    : implementation_(std::make_unique<Implementation>(api)) {}
Operators::~Operators() = default;

abi::OperatorDomain* Operators::domain() const {
  return implementation_->domain;
}

}  // namespace andon::vision
