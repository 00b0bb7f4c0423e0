// SPDX-License-Identifier: Apache-2.0
//
// Nested lists, "[[1,2],[3,4]]".
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/status_macros.h"
#include "client/cli/parse.h"

namespace varkeep::cli {
namespace {

// Reads a text to its end: what the lists hold, and the shape they have.
class NestedLists {
 public:
  explicit NestedLists(absl::string_view text) : text_(text), rest_(text) {}

  absl::Status Read() {
    RETURN_IF_ERROR(ReadNext(0));
    if (!rest_.empty()) return Error("goes on after its end");
    return absl::OkStatus();
  }
  const std::vector<std::string>& elements() const { return elements_; }
  const std::vector<int64_t>& dims() const { return dims_; }

 private:
  static constexpr int64_t kUnknown = -1;

  // An element, or a list that `depth` lists are around.
  absl::Status ReadNext(size_t depth) {
    if (!Take("[")) return ReadElement(depth);
    if (depth == Shape::kMaxRank) {
      return Error(
          absl::StrCat("has more than ", Shape::kMaxRank, " lists in lists"));
    }
    if (dims_.size() == depth) {
      if (has_rank_) return Error("is ragged: lists beside elements");
      dims_.push_back(kUnknown);
    }
    int64_t count = 0;
    if (Take("]")) return EndList(depth, count);
    do {
      RETURN_IF_ERROR(ReadNext(depth + 1));
      ++count;
    } while (Take(","));
    if (!Take("]")) return Error("lacks a comma or a bracket");
    return EndList(depth, count);
  }

  absl::Status ReadElement(size_t depth) {
    if (depth != dims_.size()) {
      return Error("is ragged: elements beside lists");
    }
    has_rank_ = true;
    const absl::string_view element =
        rest_.substr(0, rest_.find_first_of("[],"));
    rest_.remove_prefix(element.size());
    elements_.emplace_back(absl::StripAsciiWhitespace(element));
    if (elements_.back().empty()) return Error("lacks an element");
    return absl::OkStatus();
  }

  absl::Status EndList(size_t depth, int64_t count) {
    int64_t& dim = dims_[depth];
    if (dim != kUnknown && dim != count) {
      return Error(
          absl::StrCat("is ragged: lists of ", dim, " and of ", count));
    }
    dim = count;
    return absl::OkStatus();
  }

  bool Take(absl::string_view mark) {
    rest_ = absl::StripAsciiWhitespace(rest_);
    return absl::ConsumePrefix(&rest_, mark);
  }

  absl::Status Error(absl::string_view what) const {
    return absl::InvalidArgumentError(absl::StrCat("'", text_, "' ", what));
  }

  const absl::string_view text_;
  absl::string_view rest_;
  std::vector<std::string> elements_;
  std::vector<int64_t> dims_;
  bool has_rank_ = false;  // an element was there: no list is deeper
};

}  // namespace

absl::StatusOr<std::shared_ptr<Tensor>> ParseLiteral(absl::string_view text,
                                                     DType dtype) {
  text = absl::StripAsciiWhitespace(text);
  std::string listed(text);
  const bool bare = !text.empty() && text[0] != '[';
  if (bare && text.find(',') != absl::string_view::npos) {
    listed = absl::StrCat("[", text, "]");
  }
  NestedLists lists(listed);
  RETURN_IF_ERROR(lists.Read());
  ASSIGN_OR_RETURN(Shape shape, Shape::Create(lists.dims()));
  return ParseElements(lists.elements(), dtype, shape);
}

}  // namespace varkeep::cli
