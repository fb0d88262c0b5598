// SPDX-License-Identifier: Apache-2.0
// items.hpp: the rows of a view's table: which there are, in which order, and which one is chosen.
#pragma once

#include <cstddef>
#include <vector>

#include "top/model.hpp"
#include "top/view.hpp"

namespace tcpwitness::top {

// A row of the table.
struct Item {
  const Group* group = nullptr;
  const Connection* connection = nullptr;
  bool other = false;
  [[nodiscard]] Chosen as_chosen() const;
};

// The columns of a table that can be sorted by, in their order.
[[nodiscard]] const std::vector<Column>& columns_of(Table table);
// Sorted by letters, and not by numbers.
[[nodiscard]] bool is_text(Column column);
// What the table has, filtered and sorted.
[[nodiscard]] std::vector<Item> items(const Model& model, const View& view);
// Which of them is chosen; 0 where none is.
[[nodiscard]] std::size_t place_of(const std::vector<Item>& items, const View& view);
// The connection that a key is about: the opened one, or the one under the cursor. 0: none.
[[nodiscard]] ConnectionId meant(const View& view, const Model& model);

}  // namespace tcpwitness::top
