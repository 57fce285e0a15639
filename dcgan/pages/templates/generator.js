"use strict";
// Latents, as dcgan/latents.py draws them

// Philox 4x64-10 (Salmon et al. 2011) as NumPy runs it: `count` numbers of 64 bits.
function philox(seed, count) {
  const raw = [], low = (number) => BigInt.asUintN(64, number);
  for (let block = 1n; raw.length < count; block += 1n) {
    let [a, b, c, d] = [block, 0n, 0n, 0n], first = BigInt(seed), second = 0n;
    for (let round = 0; round < 10; round += 1) {
      const left = 0xD2E7470EE14C6C93n * a, right = 0xCA5A826395121157n * c;
      [a, b] = [(right >> 64n) ^ b ^ first, low(right)];
      [c, d] = [(left >> 64n) ^ d ^ second, low(left)];
      first = low(first + 0x9E3779B97F4A7C15n);
      second = low(second + 0xBB67AE8584CAA73Bn);
    }
    raw.push(a, b, c, d);
  }
  return raw;
}

// Standard normal numbers (Box and Muller 1958): the latent of image 0 of a seed.
function drawLatent(seed, size) {
  const half = 2 * Math.ceil(size / 4);
  const uniform = philox(seed, 2 * half).map((raw) => Number(raw >> 11n) * 2 ** -53);
  return Float32Array.from({ length: size }, (_, index) => {
    const place = index % half, angle = 2 * Math.PI * uniform[half + place];
    const radius = Math.sqrt(-2 * Math.log1p(-uniform[place]));
    return radius * (index < half ? Math.cos(angle) : Math.sin(angle));
  });
}

// The latent at a share of the arc from one to another.
function slerp(first, second, share) {
  const dot = (one, other) => one.reduce((sum, value, index) => sum + value * other[index], 0);
  const cosine = dot(first, second) / Math.sqrt(dot(first, first) * dot(second, second));
  const angle = Math.max(Math.acos(Math.min(1, Math.max(-1, cosine))), 1e-6);
  const [from, to] = [Math.sin((1 - share) * angle), Math.sin(share * angle)];
  return first.map((value, index) => (from * value + to * second[index]) / Math.sin(angle));
}

// Weights: each character is the 16 bits of a float between -1 and 1, to be scaled

const HALVES = Float32Array.from({ length: 65536 }, (_, code) => {
  const exponent = (code >> 10) & 31, fraction = (code & 1023) / 1024;
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction;
  return code & 0x8000 ? -size : size;
});

// A function that reads one array after the other.
function reader(text) {
  let place = 0;
  return ({ length, scale }) => {
    const values = new Float32Array(length);
    for (let index = 0; index < length; index += 1) {
      values[index] = HALVES[text.charCodeAt(place + index)] * scale;
    }
    place += length;
    return values;
  };
}

// Layers: each takes a map { height, width, channels, data } and returns one

// Add to `count` pixels of `out`, `step` apart, the products of as many pixels of `x` with a
// matrix (filters, channels) that begins at `from`: two pixels and four filters at a time.
function multiply(x, at, count, matrix, from, out, to, step, channels, filters) {
  for (let pixel = 0; pixel < count; pixel += 2) {
    const pair = pixel + 1 < count, first = at + pixel * channels;
    const second = pair ? first + channels : first;
    const here = to + pixel * step, there = here + step;
    for (let filter = 0; filter < filters; filter += 4) {
      const more = Math.min(4, filters - filter);
      const row = from + filter * channels;
      const row1 = more > 1 ? row + channels : row;
      const row2 = more > 2 ? row1 + channels : row;
      const row3 = more > 3 ? row2 + channels : row;
      let a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
      for (let channel = 0; channel < channels; channel += 1) {
        const a = x[first + channel], b = x[second + channel];
        const w0 = matrix[row + channel], w1 = matrix[row1 + channel];
        const w2 = matrix[row2 + channel], w3 = matrix[row3 + channel];
        a0 += a * w0; a1 += a * w1; a2 += a * w2; a3 += a * w3;
        b0 += b * w0; b1 += b * w1; b2 += b * w2; b3 += b * w3;
      }
      out[here + filter] += a0;
      if (more > 1) out[here + filter + 1] += a1;
      if (more > 2) out[here + filter + 2] += a2;
      if (more > 3) out[here + filter + 3] += a3;
      if (!pair) continue;
      out[there + filter] += b0;
      if (more > 1) out[there + filter + 1] += b1;
      if (more > 2) out[there + filter + 2] += b2;
      if (more > 3) out[there + filter + 3] += b3;
    }
  }
}

// Each pixel adds its product with the kernel's (row, column) to the pixel of the larger map that
// is `stride` times as far, plus (row, column) minus `pad`: for one (row, column), to one phase.
function convolve(map, { kernel, stride, pad, filters }, [weights]) {
  const { channels, data } = map;
  const height = map.height * stride[0], width = map.width * stride[1];
  const out = new Float32Array(height * width * filters);
  for (let row = 0; row < kernel[0]; row += 1) {
    for (let column = 0; column < kernel[1]; column += 1) {
      const from = (row * kernel[1] + column) * filters * channels, shift = column - pad[1];
      const left = Math.max(0, Math.ceil(-shift / stride[1]));
      const right = Math.min(map.width - 1, Math.floor((width - 1 - shift) / stride[1]));
      for (let line = 0; line < map.height; line += 1) {
        const target = line * stride[0] + row - pad[0];
        if (target < 0 || target >= height) continue;
        const at = (line * map.width + left) * channels;
        const to = (target * width + left * stride[1] + shift) * filters;
        multiply(
          data, at, right - left + 1, weights, from, out, to, stride[1] * filters, channels, filters,
        );
      }
    }
  }
  return { height, width, channels: filters, data: out };
}

// The map whose pixel at (row, column) is that of `map` at the index that `source` gives.
function gather(map, height, width, source) {
  const { channels, data } = map, out = new Float32Array(height * width * channels);
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const at = source(row, column) * channels;
      out.set(data.subarray(at, at + channels), (row * width + column) * channels);
    }
  }
  return { height, width, channels, data: out };
}

const LAYERS = {
  dense(map, { filters }, [weights]) {
    const out = new Float32Array(filters), inputs = map.data.length;
    multiply(map.data, 0, 1, weights, 0, out, 0, filters, inputs, filters);
    return { height: 1, width: 1, channels: filters, data: out };
  },
  reshape: (map, { shape: [height, width, channels] }) => ({ ...map, height, width, channels }),
  convolve,
  resize: (map, { stride: [down, across] }) => gather(
    map, map.height * down, map.width * across,
    (row, column) => Math.floor(row / down) * map.width + Math.floor(column / across),
  ),
  crop: (map, { top, left, height, width }) => gather(
    map, height, width, (row, column) => (row + top) * map.width + column + left,
  ),
  // The mean of the pixels of a window that lie inside the map
  average(map, { window: [rows, columns] }) {
    const { height, width, channels, data } = map, out = new Float32Array(data.length);
    const above = (rows - 1) >> 1, before = (columns - 1) >> 1;
    for (let row = 0; row < height; row += 1) {
      const top = Math.max(0, row - above), bottom = Math.min(height, row - above + rows);
      for (let column = 0; column < width; column += 1) {
        const left = Math.max(0, column - before);
        const right = Math.min(width, column - before + columns);
        const to = (row * width + column) * channels, share = 1 / (bottom - top) / (right - left);
        for (let y = top; y < bottom; y += 1) {
          for (let x = left; x < right; x += 1) {
            const at = (y * width + x) * channels;
            for (let channel = 0; channel < channels; channel += 1) {
              out[to + channel] += share * data[at + channel];
            }
          }
        }
      }
    }
    return { ...map, data: out };
  },
  // Normalization or a bias: each channel times its factor, plus its shift
  affine(map, _, [factors, shifts]) {
    const { channels, data } = map;
    for (let start = 0; start < data.length; start += channels) {
      for (let channel = 0; channel < channels; channel += 1) {
        data[start + channel] = data[start + channel] * factors[channel] + shifts[channel];
      }
    }
    return map;
  },
  // Add a linear function of the latent for each pixel, times a factor for each channel
  addMap(map, _, [kernel, factors], latent) {
    const { channels, data } = map, pixels = new Float32Array(data.length / channels);
    multiply(latent, 0, 1, kernel, 0, pixels, 0, pixels.length, latent.length, pixels.length);
    return { ...map, data: data.map((x, index) => (
      x + pixels[Math.floor(index / channels)] * factors[index % channels]
    )) };
  },
  // Each channel times its factor, a linear function of the latent
  modulate(map, _, [kernel, bias], latent) {
    const factors = Float32Array.from(bias), { length } = bias;
    multiply(latent, 0, 1, kernel, 0, factors, 0, length, latent.length, length);
    return LAYERS.affine(map, _, [factors, new Float32Array(length)]);
  },
  relu: (map, { slope }) => ({ ...map, data: map.data.map((x) => x < 0 ? slope * x : x) }),
  tanh: (map) => ({ ...map, data: map.data.map(Math.tanh) }),
};

// A function from a latent to the levels of its image, from 0 to 255, row by row.
function buildGenerator(layers, read) {
  const weights = layers.map((layer) => layer.weights.map(read));
  return (latent) => {
    let map = { height: 1, width: 1, channels: latent.length, data: latent };
    layers.forEach((layer, index) => {
      map = LAYERS[layer.kind](map, layer, weights[index], latent);
    });
    return Uint8ClampedArray.from(map.data, (x) => (x + 1) * 127.5); // rounds as NumPy does
  };
}

// Levels as pixels (red, green, blue, alpha); colors of 4 channels are divided by alpha.
function toPixels(levels, channels) {
  const pixels = new Uint8ClampedArray(levels.length / channels * 4).fill(255);
  for (let from = 0, to = 0; from < levels.length; from += channels, to += 4) {
    for (let color = 0; color < 3; color += 1) {
      pixels[to + color] = levels[from + (channels === 1 ? 0 : color)];
    }
    if (channels < 4) continue;
    const alpha = pixels[to + 3] = levels[from + 3], half = alpha >> 1;
    for (let color = to; color < to + 3; color += 1) {
      pixels[color] = alpha ? Math.floor((pixels[color] * 255 + half) / alpha) : 0;
    }
  }
  return pixels;
}

// Answer messages: the first holds the model, each of the others a latent.
function serve(answer) {
  let generate, channels;
  return ({ data: { model, text, latent } }) => {
    if (model) {
      generate = buildGenerator(model.layers, reader(text));
      channels = model.image[2];
    } else {
      const start = performance.now(), pixels = toPixels(generate(latent), channels);
      answer({ pixels, seconds: (performance.now() - start) / 1000 });
    }
  };
}
if (typeof document === "undefined") onmessage = serve(postMessage);
