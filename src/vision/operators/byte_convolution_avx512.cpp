// SPDX-License-Identifier: Apache-2.0
#include "vision/operators/byte_convolution.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

#include <array>
#include <cstring>
#include <utility>

// GCC 12 warns of the undefined vectors in its own header (its bug 105593).
#pragma GCC diagnostic ignored "-Wuninitialized"

namespace andon::vision {
namespace {

#define ANDON_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))
#define ANDON_INLINE __attribute__((always_inline))

constexpr std::size_t kBlock = PackedConvolution::kBlock;
constexpr std::size_t kQuadBytes = 4 * kBlock;

// `work` for each number below `Count`, as constants, so that what it indexes is a register.
template <std::size_t Count, typename Work>
ANDON_VNNI ANDON_INLINE inline void each(Work work) {
  [&]<std::size_t... I>(std::index_sequence<I...>) ANDON_VNNI ANDON_INLINE {
    (work(std::integral_constant<std::size_t, I>{}), ...);
  }
  (std::make_index_sequence<Count>{});
}

// _mm512_dpbusd_epi32, which GCC 12 makes copies around.
ANDON_VNNI ANDON_INLINE inline void add_products(__m512i& sums, __m512i bytes, __m512i weights) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(bytes), "v"(weights));
}

// What the compiler cannot see through it does not take apart.
template <typename Value>
ANDON_INLINE inline void hide(Value& value) {
  asm("" : "+r"(value));
}

// One tile: some pixels side by side, and some blocks of their output channels.
struct Tile {
  const std::uint8_t* from;
  std::size_t pixel_stride;
  std::size_t line_stride;
  const std::int8_t* weights;
  std::size_t block_bytes;  // of weights
  std::size_t rows;         // of the kernel
  std::size_t quads;
  const std::int32_t* bias;
  const float* factors;
  int zero;
  std::uint8_t* to;
  std::size_t to_stride;
  __mmask16 last;  // which channels of the last block there are
};

// All sums stay in registers: Blocks * Pixels of the 32, beside a block's weights and a pixel.
template <std::size_t Blocks, std::size_t Pixels>
ANDON_VNNI void run_tile(const Tile& tile) {
  __m512i sums[Pixels][Blocks];
  each<Blocks>([&](auto block) ANDON_VNNI ANDON_INLINE {
    const __m512i bias = _mm512_loadu_si512(tile.bias + kBlock * block);
    each<Pixels>([&](auto pixel) ANDON_VNNI ANDON_INLINE { sums[pixel][block] = bias; });
  });
  // A pointer for every four pixels, and distances that stay in registers: there are not enough
  // for a pointer a pixel.
  constexpr std::size_t kFours = (Pixels + 3) / 4;
  std::size_t one = tile.pixel_stride;
  std::size_t three = 3 * one;
  hide(one);
  hide(three);
  const std::int8_t* weights = tile.weights;
  for (std::size_t row = 0; row < tile.rows; ++row) {
    const std::uint8_t* fours[kFours];
    each<kFours>([&](auto four) ANDON_VNNI ANDON_INLINE {
      fours[four] = tile.from + row * tile.line_stride + 4 * four * one;
    });
    for (std::size_t quad = 0; quad < tile.quads; ++quad, weights += kQuadBytes) {
      __m512i factors[Blocks];
      each<Blocks>([&](auto block) ANDON_VNNI ANDON_INLINE {
        factors[block] = _mm512_loadu_si512(weights + block * tile.block_bytes);
      });
      each<Pixels>([&](auto pixel) ANDON_VNNI ANDON_INLINE {
        int values = 0;
        std::memcpy(&values, fours[pixel / 4] + (pixel % 4 == 3 ? three : pixel % 4 * one), 4);
        const __m512i four = _mm512_set1_epi32(values);
        each<Blocks>([&](auto block) ANDON_VNNI ANDON_INLINE {
          add_products(sums[pixel][block], four, factors[block]);
        });
      });
      each<kFours>([&](auto four) ANDON_VNNI ANDON_INLINE {
        fours[four] += 4;
        hide(fours[four]);
      });
    }
  }
  const __m512 low = _mm512_set1_ps(static_cast<float>(-tile.zero));
  const __m512 high = _mm512_set1_ps(static_cast<float>(255 - tile.zero));
  const __m512i zero = _mm512_set1_epi32(tile.zero);
  each<Blocks>([&](auto block) ANDON_VNNI ANDON_INLINE {
    const __m512 factor = _mm512_loadu_ps(tile.factors + kBlock * block);
    const __mmask16 channels = block + 1 == Blocks ? tile.last : static_cast<__mmask16>(0xFFFF);
    each<Pixels>([&](auto pixel) ANDON_VNNI ANDON_INLINE {
      __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[pixel][block]), factor);
      value = _mm512_max_ps(_mm512_min_ps(value, high), low);
      const __m512i place = _mm512_add_epi32(_mm512_cvtps_epi32(value), zero);
      _mm_mask_storeu_epi8(tile.to + pixel * tile.to_stride + kBlock * block, channels,
                           _mm512_cvtepi32_epi8(place));
    });
  });
}

// By blocks and pixels, each less one. More sums than these do not fit the registers.
constexpr std::size_t kMostBlocks = 5;
constexpr std::size_t kMostPixels = 12;
constexpr std::array<std::size_t, kMostBlocks> kMostPixelsOf{12, 12, 8, 6, 5};
using RunTile = void (*)(const Tile&);
using TileRow = std::array<RunTile, kMostPixels>;

template <std::size_t Blocks, std::size_t... I>
constexpr TileRow tiles_of(std::index_sequence<I...>) {
  return {run_tile<Blocks, I + 1>...};
}
template <std::size_t... I>
constexpr std::array<TileRow, kMostBlocks> all_tiles(std::index_sequence<I...>) {
  return {tiles_of<I + 1>(std::make_index_sequence<kMostPixelsOf[I]>{})...};
}
constexpr std::array<TileRow, kMostBlocks> kTiles =
    all_tiles(std::make_index_sequence<kMostBlocks>{});

// In parts that differ by one at most.
struct Parts {
  std::size_t count;
  std::size_t size;
  std::size_t larger;  // how many have one more
};
Parts even_parts(std::size_t all, std::size_t most) {
  const std::size_t count = (all + most - 1) / most;
  return {count, all / count, all % count};
}

void run_line(Tile tile, std::size_t blocks, std::size_t columns) {
  const TileRow& tiles = kTiles[blocks - 1];
  const Parts parts = even_parts(columns, kMostPixelsOf[blocks - 1]);
  for (std::size_t part = 0; part < parts.count; ++part) {
    const std::size_t pixels = parts.size + (part < parts.larger ? 1 : 0);
    tiles[pixels - 1](tile);
    tile.from += pixels * tile.pixel_stride;
    tile.to += pixels * tile.to_stride;
  }
}

// Some blocks over all lines, then the next, so that their weights stay in the cache.
void run(const PackedConvolution& packed, const ConvolutionLines& lines) {
  const ConvolutionShape& shape = packed.shape;
  const std::size_t block_bytes = shape.kernel_height * packed.quads * kQuadBytes;
  const Parts parts = even_parts(packed.blocks, kMostBlocks);
  std::size_t first = 0;
  for (std::size_t part = 0; part < parts.count; ++part) {
    const std::size_t blocks = parts.size + (part < parts.larger ? 1 : 0);
    const std::size_t beyond = packed.blocks * kBlock - shape.outputs;
    const bool is_last = part + 1 == parts.count;
    Tile tile{lines.from,
              shape.stride_across * shape.channels,
              lines.from_stride,
              packed.weights.data() + first * block_bytes,
              block_bytes,
              shape.kernel_height,
              packed.quads,
              packed.bias.data() + first * kBlock,
              packed.factors.data() + first * kBlock,
              packed.zero,
              lines.to + first * kBlock,
              shape.outputs,
              static_cast<__mmask16>(is_last ? 0xFFFFU >> beyond : 0xFFFFU)};
    for (std::size_t line = 0; line < lines.lines; ++line) {
      run_line(tile, blocks, lines.columns);
      tile.from += shape.stride_down * lines.from_stride;
      tile.to += lines.columns * shape.outputs;
    }
    first += blocks;
  }
}

#undef ANDON_INLINE
#undef ANDON_VNNI
}  // namespace

const ConvolutionKernel* avx512_convolution() {
  static constexpr ConvolutionKernel kKernel{"AVX-512 VNNI", run};
  const bool has_all = __builtin_cpu_supports("avx512bw") != 0 &&
                       __builtin_cpu_supports("avx512vl") != 0 &&
                       __builtin_cpu_supports("avx512vnni") != 0;
  return has_all ? &kKernel : nullptr;
}

}  // namespace andon::vision

#else

namespace andon::vision {
const ConvolutionKernel* avx512_convolution() {
  return nullptr;
}
}  // namespace andon::vision

#endif
