// SPDX-License-Identifier: Apache-2.0
#include "capture/filter.hpp"
#include "capture/tcp_frames.hpp"
