"""The student's wide layers by student_layers.c instead of PyTorch: the same results, in float32, in about half the
time."""
import ctypes

import torch
from torch.autograd.function import once_differentiable

from model import FRONT, PLACES, WIDTH

FRAMES = 4  # that the reduction hears for a step


class Layers:
    """block(...) and reduce(...) as model.py calls them."""

    def __init__(self, path):
        self.library = ctypes.CDLL(str(path))
        pointer, number = ctypes.c_void_p, ctypes.c_long
        self.library.block_forward.argtypes = 4 * [number] + 13 * [pointer]
        self.library.block_backward.argtypes = 4 * [number] + 13 * [pointer]
        self.library.reduce_forward.argtypes = 3 * [number] + 5 * [pointer]
        self.library.reduce_backward.argtypes = 3 * [number] + 6 * [pointer]
        self.library.block_sums.restype = number

    def call(self, function, *arguments):
        team = torch.get_num_threads()
        getattr(self.library, function)(team, *[a.data_ptr() if torch.is_tensor(a) else a for a in arguments])

    def block(self, x, norm, conv, mix, keep):
        """x: [batch][96][1][steps], as the results are in memory with the channels last; keep: [batch][96]."""
        return Block.apply(x, norm.weight, norm.bias, conv.weight, conv.bias, mix.weight, mix.bias, keep, conv.dilation,
                           self)

    def reduce(self, x, weight, bias):
        """x: [batch][324][1][frames]."""
        return Reduce.apply(x, weight, bias, self)


def check(x, channels, steps):
    """What the C side takes for granted."""
    if x.dtype != torch.float32 or x.shape[1] != channels:
        raise ValueError(f"{x.dtype}, {x.shape[1]} channels: float32 and {channels} are needed")
    if steps % 4:  # rows come in fours
        raise ValueError(f"{steps} steps: a crop has to have a multiple of 128 frames")


def channels_last(x):
    """[batch][steps][channels] in memory."""
    return x.contiguous(memory_format=torch.channels_last)


class Block(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, shift, conv, conv_bias, mix, mix_bias, keep, dilation, layers):
        x = channels_last(x)
        batch, width, _, steps = x.shape
        check(x, WIDTH, steps)
        normed = torch.empty(batch, steps + 2 * dilation, width)
        hidden, statistics, y = torch.empty(batch, steps, width), torch.empty(batch, steps, 2), torch.empty_like(x)
        layers.call("block_forward", batch, steps, dilation, x, scale, shift,
                    conv[:, :, 0].permute(2, 1, 0).contiguous(), conv_bias, mix[:, :, 0, 0].t().contiguous(), mix_bias,
                    keep, normed, hidden, statistics, y, torch.empty(4 * width * width))
        ctx.save_for_backward(x, scale, conv, mix, keep, normed, hidden, statistics)
        ctx.dilation, ctx.layers = dilation, layers
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        x, scale, conv, mix, keep, normed, hidden, statistics = ctx.saved_tensors
        batch, width, _, steps = x.shape
        room = ctx.layers.library.block_sums()
        sums, dx = torch.empty(room), torch.empty_like(x)
        ctx.layers.call("block_backward", batch, steps, ctx.dilation, x, scale,
                        conv[:, :, 0].permute(2, 0, 1).contiguous(), mix[:, :, 0, 0].contiguous(), keep, normed, hidden,
                        statistics, channels_last(dy), torch.empty_like(normed), dx, sums,
                        torch.empty(4 * width * width + torch.get_num_threads() * room))
        square = width * width
        d_conv = sums[:3 * square].view(3, width, width).permute(2, 1, 0).unsqueeze(2)
        d_mix = sums[3 * square:4 * square].view(width, width).t()[:, :, None, None]
        d_scale, d_shift, d_conv_bias, d_mix_bias = sums[4 * square:].view(4, width)
        return dx, d_scale, d_shift, d_conv, d_conv_bias, d_mix, d_mix_bias, None, None, None


class Reduce(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, layers):
        batch, channels, _, frames = x.shape
        check(x, FRONT * PLACES, frames // 2)
        padded = torch.zeros(batch, frames + 2, channels)
        padded[:, 1:-1] = x[:, :, 0].transpose(1, 2)
        width = len(weight)
        y = torch.empty((batch, width, 1, frames // 2), memory_format=torch.channels_last)
        matrix = weight[:, :, 0].permute(2, 1, 0).contiguous()  # [4][in][out]
        layers.call("reduce_forward", batch, frames // 2, padded, matrix, bias, y, torch.empty(matrix.numel()))
        ctx.save_for_backward(padded, weight)
        ctx.layers = layers
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        padded, weight = ctx.saved_tensors
        width, channels = weight.shape[:2]
        batch, _, _, steps = dy.shape
        above = torch.zeros(batch, steps + 8, width)
        above[:, 4:-4] = dy[:, :, 0].transpose(1, 2)
        back = weight[:, :, 0].permute(2, 0, 1).view(2, 2, width, channels).transpose(1, 2)
        back = back.reshape(2, width, 2 * channels)
        d_weight = torch.empty(FRAMES, channels, width)
        d_frames = torch.empty_like(padded) if ctx.needs_input_grad[0] else None
        size = FRAMES * channels * width
        ctx.layers.call("reduce_backward", batch, steps, padded, back.contiguous(), above, d_weight, d_frames,
                        torch.empty((1 + torch.get_num_threads()) * size))
        dx = None if d_frames is None else d_frames[:, 1:-1].transpose(1, 2).unsqueeze(2)
        return dx, d_weight.permute(2, 1, 0).unsqueeze(2), above.sum((0, 1)), None
