// The sparse product as a compiled kernel: rows shared among threads, the next rows of the table fetched ahead.
// Only a yardstick for the bench; the library multiplies by torch's own kernels.
#include <cstdint>

extern "C" void product(const int32_t* offsets, const int32_t* columns, const float* values, const float* table,
                        float* out, int64_t rows, int64_t width) {
  const int64_t entries = offsets[rows];
#pragma omp parallel for schedule(dynamic, 256)
  for (int64_t row = 0; row < rows; ++row) {
    float* sum = out + row * width;
    for (int64_t d = 0; d < width; ++d) sum[d] = 0.0f;
    for (int64_t at = offsets[row]; at < offsets[row + 1]; ++at) {
      if (at + 8 < entries)
        for (int64_t line = 0; line < width; line += 16) __builtin_prefetch(table + columns[at + 8] * width + line);
      const float weight = values[at];
      const float* x = table + columns[at] * width;
#pragma omp simd
      for (int64_t d = 0; d < width; ++d) sum[d] += weight * x[d];
    }
  }
}
