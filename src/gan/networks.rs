//! The layers of a generator and a critic, by their shape: see `shape.rs`.

use super::layers::Layer;
use super::shape::{CriticNorm, Kind, Shape};
use crate::nn::ops::activation::Activation;
use crate::nn::ops::batch_norm::BatchNorm;
use crate::nn::ops::conv::{Conv, Window};
use crate::nn::ops::instance_norm::InstanceNorm;
use crate::nn::ops::pixels::same;
use crate::nn::parameters::Layout;

/// Builds layers one after the other.
struct Builder<'a> {
    layout: &'a mut Layout,
    name: &'static str,
    count: usize,
}

impl<'a> Builder<'a> {
    fn new(layout: &'a mut Layout, name: &'static str) -> Builder<'a> {
        Builder {
            layout,
            name,
            count: 0,
        }
    }

    fn name(&mut self) -> String {
        self.count += 1;
        format!("{}.{}", self.name, self.count - 1)
    }

    fn conv(&mut self, window: Window, channels: usize, how: (bool, bool), f: Activation) -> Layer {
        let name = self.name();
        Layer::Conv(Conv::new(self.layout, &name, window, channels, how), f)
    }

    fn dense(&mut self, inputs: usize, outputs: usize, activation: Activation) -> Layer {
        self.conv(Window::dense(inputs), outputs, (false, true), activation)
    }

    fn norm(&mut self, channels: usize, activation: Activation) -> Layer {
        let name = self.name();
        Layer::Norm(BatchNorm::new(self.layout, &name, channels), activation)
    }

    fn instance_norm(&mut self, channels: usize, pixels: usize, activation: Activation) -> Layer {
        let name = self.name();
        let norm = InstanceNorm::new(self.layout, &name, channels, pixels);
        Layer::InstanceNorm(norm, activation)
    }
}

/// The layers that make samples of z.
pub(super) fn generator(shape: &Shape, layout: &mut Layout) -> Vec<Layer> {
    let mut b = Builder::new(layout, "generator");
    let inputs = shape.inputs();
    let end = match shape.is_bounded {
        true => Activation::Tanh,
        false => Activation::Identity,
    };
    match shape.network {
        Kind::Mlp => {
            let mut layers = Vec::new();
            let mut size = inputs;
            for hidden in &shape.generator {
                layers.push(b.dense(size, *hidden, Activation::Identity));
                layers.push(b.norm(*hidden, Activation::Relu));
                size = *hidden;
            }
            layers.push(b.dense(size, shape.values(), end));
            layers
        }
        Kind::Dcgan => {
            let (base, times) = shape.doublings().unwrap_or((4, 1));
            let channels = |left: u32| shape.generator[0] << left;
            let mut layers = Vec::new();
            let first = Window {
                padding: 0,
                ..four(base, channels(times - 1), base)
            };
            layers.push(b.conv(first, inputs, (true, false), Activation::Identity));
            layers.push(b.norm(channels(times - 1), Activation::Relu));
            for left in (1..times).rev() {
                let window = four(base << (times - left), channels(left - 1), 4);
                layers.push(b.conv(window, channels(left), (true, false), Activation::Identity));
                layers.push(b.norm(channels(left - 1), Activation::Relu));
            }
            let last = four(shape.height, shape.channels, 4);
            layers.push(b.conv(last, channels(0), (true, false), end));
            layers
        }
        Kind::Resnet => {
            let (_, times) = shape.doublings().unwrap_or((4, 1));
            let c = shape.generator[0];
            let mut layers = vec![b.dense(inputs, 16 * c, Activation::Identity)];
            for i in 0..times {
                let size = (8 << i, 8 << i, c);
                let one = vec![
                    b.norm(c, Activation::Relu),
                    Layer::Double(size),
                    b.conv(same(size, 3), c, (false, true), Activation::Identity),
                    b.norm(c, Activation::Relu),
                    b.conv(same(size, 3), c, (false, true), Activation::Identity),
                ];
                layers.push(Layer::Both(one, vec![Layer::Double(size)]));
            }
            layers.push(b.norm(c, Activation::Relu));
            let last = same((shape.height, shape.width, c), 3);
            layers.push(b.conv(last, shape.channels, (false, true), end));
            layers
        }
    }
}

/// Windows of `kernel` pixels in steps of two over images of a side of `side`.
fn four(side: usize, channels: usize, kernel: usize) -> Window {
    Window {
        height: side,
        width: side,
        channels,
        kernel,
        stride: 2,
        padding: 1,
    }
}

/// The layers that make features of samples, and the one that makes a verdict of them.
pub(super) fn critic(shape: &Shape, layout: &mut Layout) -> (Vec<Layer>, Conv) {
    let mut b = Builder::new(layout, "critic");
    let leaky = Activation::Leaky;
    let channels = shape.channels * shape.pack;
    let (layers, head, has_bias) = match shape.network {
        Kind::Mlp => {
            let mut layers = Vec::new();
            let mut size = (shape.values() + shape.condition) * shape.pack;
            for hidden in &shape.critic {
                layers.push(b.dense(size, *hidden, leaky));
                size = *hidden;
            }
            (layers, Window::dense(size), true)
        }
        Kind::Dcgan => {
            let (base, times) = shape.doublings().unwrap_or((4, 1));
            let mut layers = Vec::new();
            let mut before = channels;
            for i in 0..times {
                let after = shape.critic[0] << i;
                let window = four(shape.height >> i, before, 4);
                let norm = match i {
                    0 => CriticNorm::None,
                    _ => shape.critic_norm,
                };
                let linear = match norm {
                    CriticNorm::None => leaky,
                    _ => Activation::Identity,
                };
                layers.push(b.conv(window, after, (false, false), linear));
                let (rows, columns) = window.places();
                layers.extend(match norm {
                    CriticNorm::None => None,
                    CriticNorm::Batch => Some(b.norm(after, leaky)),
                    CriticNorm::Instance => Some(b.instance_norm(after, rows * columns, leaky)),
                });
                before = after;
            }
            let head = Window {
                padding: 0,
                ..four(base, before, base)
            };
            (layers, head, false)
        }
        Kind::Resnet => {
            let (_, times) = shape.doublings().unwrap_or((4, 1));
            let c = shape.critic[0];
            let mut layers = Vec::new();
            let mut before = channels;
            for i in 0..times + 1 {
                let side = (shape.height >> i).max(8);
                let (size, halves) = ((side, side, before), i + 1 < times);
                let mut one = Vec::new();
                if i > 0 {
                    one.push(Layer::Activate(leaky));
                }
                one.push(b.conv(same(size, 3), c, (false, true), leaky));
                one.push(b.conv(
                    same((side, side, c), 3),
                    c,
                    (false, true),
                    Activation::Identity,
                ));
                let mut other = Vec::new();
                if before != c {
                    other.push(b.conv(same(size, 1), c, (false, true), Activation::Identity));
                }
                if halves {
                    one.push(Layer::Halve((side, side, c)));
                    other.push(Layer::Halve((side, side, c)));
                }
                layers.push(Layer::Both(one, other));
                before = c;
            }
            layers.push(Layer::Activate(leaky));
            layers.push(Layer::Sum((8, 8, c)));
            (layers, Window::dense(c), true)
        }
    };
    let name = b.name();
    let head = Conv::new(b.layout, &name, head, 1, (false, has_bias));
    (layers, head)
}
