// SPDX-License-Identifier: Apache-2.0
//
// The format: "\x93NUMPY", major and minor version, the length of the header
// (2 bytes little-endian in version 1, 4 later), the header as a Python
// dictionary padded so that the data begins at a multiple of 64, the data.
#include "client/cli/npy.h"

#include <charconv>
#include <cstring>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "base/status_macros.h"
#include "proto/tensor_codec.h"

namespace varkeep::cli {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";

absl::Status Malformed(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("not a .npy file: ", what));
}

absl::StatusOr<DType> ParseDescription(absl::string_view text) {
  for (DType dtype : kAllDTypes) {
    if (dtype == DType::kBfloat16) continue;  // uint16
    std::string known = NpyDescription(dtype);
    if (text == known) return dtype;
    // One byte has no order: '|', '<' and '=' are all the same.
    bool native =
        text.substr(0, 1) == "=" || (ItemSize(dtype) == 1 && !text.empty());
    if (native && text.substr(1) == known.substr(1)) return dtype;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("elements of type '", text.substr(0, 32),
                   "' cannot be read; little-endian numbers and booleans can"));
}

// What follows "'key':" in the header, up to the end of that value.
absl::StatusOr<absl::string_view> Field(absl::string_view header,
                                        absl::string_view key, char end) {
  size_t at = header.find(absl::StrCat("'", key, "':"));
  if (at == absl::string_view::npos) {
    return Malformed(absl::StrCat("its header has no ", key));
  }
  header.remove_prefix(at + key.size() + 3);
  size_t size = header.find(end);
  if (size == absl::string_view::npos) return Malformed("its header is cut");
  return absl::StripAsciiWhitespace(header.substr(0, size + 1));
}

absl::StatusOr<Shape> ParseShape(absl::string_view tuple) {
  if (tuple.size() < 2 || tuple.front() != '(' || tuple.back() != ')') {
    return Malformed("its shape is no tuple");
  }
  std::vector<int64_t> dims;
  for (absl::string_view text : absl::StrSplit(
           tuple.substr(1, tuple.size() - 2), ',', absl::SkipWhitespace())) {
    text = absl::StripAsciiWhitespace(text);
    int64_t dim = 0;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), dim);
    if (error != std::errc() || end != text.data() + text.size()) {
      return Malformed("its shape is no tuple of numbers");
    }
    dims.push_back(dim);
  }
  return Shape::Create(dims);
}

absl::StatusOr<std::string> ReadHeader(std::istream& in) {
  char start[12] = {};
  if (!in.read(start, 10) ||
      absl::string_view(start, kMagic.size()) != kMagic) {
    return Malformed("it does not begin as one");
  }
  auto byte = [&](int i) {
    return static_cast<uint32_t>(static_cast<unsigned char>(start[i]));
  };
  if (byte(6) < 1 || byte(6) > 3) return Malformed("its version is unknown");
  uint32_t size = byte(8) | (byte(9) << 8);
  if (byte(6) > 1) {
    if (!in.read(start + 10, 2)) return Malformed("its header is cut");
    size |= (byte(10) << 16) | (byte(11) << 24);
  }
  if (size > (1u << 20)) return Malformed("its header is too long");
  std::string header(size, '\0');
  if (!in.read(header.data(), size)) return Malformed("its header is cut");
  return header;
}

// From column-major to row-major.
absl::StatusOr<std::shared_ptr<Tensor>> Transposed(const Tensor& columns) {
  const Shape& shape = columns.shape();
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> rows,
                   Tensor::Create(columns.dtype(), shape));
  auto item = static_cast<size_t>(ItemSize(columns.dtype()));
  std::vector<int64_t> index(static_cast<size_t>(shape.rank()));
  for (int64_t i = 0; i < shape.num_elements(); ++i) {
    int64_t from = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      from = from * shape.dim(d) + index[static_cast<size_t>(d)];
    }
    std::memcpy(rows->mutable_bytes().data() + static_cast<size_t>(i) * item,
                columns.bytes().data() + static_cast<size_t>(from) * item,
                item);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      if (++index[static_cast<size_t>(d)] < shape.dim(d)) break;
      index[static_cast<size_t>(d)] = 0;
    }
  }
  return rows;
}

}  // namespace

std::string NpyDescription(DType dtype) {
  char kind = 'u';
  if (IsFloating(dtype)) kind = 'f';
  if (IsComplex(dtype)) kind = 'c';
  if (dtype == DType::kBool) kind = 'b';
  if (dtype == DType::kBfloat16) kind = 'u';
  if (dtype >= DType::kInt8 && dtype <= DType::kInt64) kind = 'i';
  return absl::StrCat(ItemSize(dtype) == 1 ? "|" : "<",
                      absl::string_view(&kind, 1), ItemSize(dtype));
}

void WriteNpy(const Tensor& tensor, std::ostream& out) {
  std::string header = absl::StrCat(
      "{'descr': '", NpyDescription(tensor.dtype()),
      "', 'fortran_order': False, 'shape': ", tensor.shape().ToTupleString(),
      ", }");
  constexpr size_t kBefore = 10;  // magic, version, length
  header.append(63 - (kBefore + header.size()) % 64, ' ');
  header += '\n';
  auto low = static_cast<char>(header.size() & 0xff);
  auto high = static_cast<char>(header.size() >> 8);
  out << kMagic << '\x01' << '\0' << low << high << header;
  out.write(reinterpret_cast<const char*>(tensor.bytes().data()),
            static_cast<std::streamsize>(tensor.size_bytes()));
}

absl::StatusOr<std::shared_ptr<Tensor>> ReadNpy(std::istream& in) {
  ASSIGN_OR_RETURN(std::string header, ReadHeader(in));
  ASSIGN_OR_RETURN(absl::string_view description, Field(header, "descr", ','));
  ASSIGN_OR_RETURN(absl::string_view order,
                   Field(header, "fortran_order", ','));
  ASSIGN_OR_RETURN(absl::string_view tuple, Field(header, "shape", ')'));
  description.remove_suffix(1);
  description = absl::StripAsciiWhitespace(description);
  if (description.size() < 3 || description.front() != '\'' ||
      description.back() != '\'') {
    return absl::InvalidArgumentError("arrays of records cannot be read");
  }
  ASSIGN_OR_RETURN(DType dtype, ParseDescription(description.substr(
                                    1, description.size() - 2)));
  ASSIGN_OR_RETURN(Shape shape, ParseShape(tuple));
  ASSIGN_OR_RETURN(std::shared_ptr<Tensor> tensor,
                   Tensor::Create(dtype, shape));
  in.read(reinterpret_cast<char*>(tensor->mutable_bytes().data()),
          static_cast<std::streamsize>(tensor->size_bytes()));
  if (in.gcount() != tensor->size_bytes()) return Malformed("its data is cut");
  if (in.peek() != std::istream::traits_type::eof()) {
    return Malformed("it has bytes after its data");
  }
  RETURN_IF_ERROR(CheckElements(dtype, tensor->bytes()));
  if (order == "True," && shape.rank() > 1) return Transposed(*tensor);
  return tensor;
}

}  // namespace varkeep::cli
