"""The student: the mix's log spectrogram in, four heads out. What the C side computes (src/student) is
exactly this; names and shapes here are the weights file's."""
import torch
import torch.nn.functional as F
from torch import nn

BANDS, LABELS = 81, 10
FRONT = 12            # channels of the first layer, over 27 places along the bands
PLACES = 27
WIDTH = 96
FINE = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]  # dilations at 50 steps a second
MIDDLE = 2 * [1, 2, 4, 8, 16, 32, 64, 128]      # at 12.5: which of the pulses is the beat, and which the bar's first
LATE = [1, 2, 4, 8]                             # at 50 again, with what the middle found
COARSE = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32]  # and at 3.125: sections and functions, from the whole song
MIDDLE_POOL, POOL = 4, 16                       # steps
FIRST_COARSE = 6      # coarse blocks of the first eight runs' students
ADDED = ("middle", "middle_norm", "up", "late")  # what the first two runs' did not have
BRANCH = ("coarse", "coarse_norm", "context")    # what tells functions and, with the steps, sections
DROPOUT = 0.08        # of whole channels, in training only


class Conv(nn.Module):
    """Along time, 3 taps, zeros outside; NCHW with height 1, channels last."""

    def __init__(self, width, dilation):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, width, 1, 3))
        self.bias = nn.Parameter(torch.zeros(width))
        self.dilation = dilation
        nn.init.kaiming_normal_(self.weight, nonlinearity="relu")

    def forward(self, x):
        return F.conv2d(x, self.weight, self.bias, padding=(0, self.dilation), dilation=(1, self.dilation))


class Norm(nn.Module):
    """Layer norm over the channels of each step."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        y = F.layer_norm(x.permute(0, 2, 3, 1).float(), self.weight.shape, self.weight, self.bias, 1e-5)
        return y.permute(0, 3, 1, 2)


class Block(nn.Module):
    def __init__(self, width, dilation):
        super().__init__()
        self.norm = Norm(width)
        self.conv = Conv(width, dilation)
        self.mix = nn.Conv2d(width, width, 1)
        nn.init.normal_(self.mix.weight, std=0.02)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x, layers=None, inside=1):
        """inside: 0 at steps beyond a song's end, where a batch has songs of several lengths; not for layers."""
        if layers:
            keep = F.dropout(torch.ones(x.shape[:2]), DROPOUT, self.training)
            return layers.block(x, self.norm, self.conv, self.mix, keep)
        return x + self.mix(F.dropout2d(F.relu(self.conv(self.norm(x) * inside)), DROPOUT, self.training))


class Student(nn.Module):
    def __init__(self, width=WIDTH, fine=FINE, middle=MIDDLE, late=LATE, coarse=COARSE):
        super().__init__()
        # 3 frames x 5 bands, every third band, one band of zeros on both sides.
        self.front = nn.Conv2d(1, FRONT, (3, 5), stride=(1, 3), padding=(1, 1))
        # Two frames become one step: taps at 2t - 1 .. 2t + 2.
        self.reduce = nn.Conv2d(FRONT * PLACES, width, (1, 4), stride=(1, 2), padding=(0, 1))
        self.fine = nn.ModuleList(Block(width, d) for d in fine)
        self.fine_norm = Norm(width)
        self.middle = nn.ModuleList(Block(width, d) for d in middle)
        if middle:
            self.middle_norm = Norm(width)
            self.up = nn.Conv2d(width, width, 1)
        self.late = nn.ModuleList(Block(width, d) for d in late)
        self.late_norm = Norm(width)
        self.coarse = nn.ModuleList(Block(width, d) for d in coarse)
        self.coarse_norm = Norm(width)
        self.beats = nn.Conv2d(width, 6, 1)   # beat, downbeat, section of the step's two frames
        self.context = nn.Conv2d(width, 1 + LABELS, 1)  # section and function, coarse
        with torch.no_grad():
            self.beats.bias.fill_(-2.5)
            # The middle, the late and the last coarse blocks count for nothing until they have learnt something.
            for layer in ([self.up] if middle else []) + [block.mix for block in [*self.late, *self.coarse[FIRST_COARSE:]]]:
                layer.weight.zero_()
                layer.bias.zero_()

    def steps(self, x, layers=None):
        """[batch][width][1][frames/2]: what all else is read off, of x as forward() takes it."""
        batch, frames, _ = x.shape
        x = F.relu(self.front(x.unsqueeze(1)))                       # [B][12][T][27]
        x = x.permute(0, 1, 3, 2).reshape(batch, FRONT * PLACES, 1, frames)
        # The sums of the blocks, the norms and the heads are in float32 also where training rounds the products.
        x = (layers.reduce(x, self.reduce.weight, self.reduce.bias) if layers else
             self.reduce(x.contiguous(memory_format=torch.channels_last)))
        x = F.relu(x).float()
        for block in self.fine:
            x = block(x, layers)
        if self.middle:
            middle = F.avg_pool2d(self.fine_norm(x), (1, MIDDLE_POOL))
            for block in self.middle:
                middle = block(middle, layers)
            x = x + self.up(self.middle_norm(middle)).repeat_interleave(MIDDLE_POOL, dim=3)
        for block in self.late:
            x = block(x, layers)
        return self.late_norm(x)

    def branch(self, coarse, layers=None, inside=1):
        """[batch][1 + 10][frames/32]: section and function, of pooled steps [batch][width][1][frames/32]."""
        for block in self.coarse:
            coarse = block(coarse, layers, inside)
        with torch.autocast("cpu", enabled=False):
            return self.context(self.coarse_norm(coarse))[:, :, 0]

    def fine_heads(self, steps):
        """[batch][3][frames]: beat, downbeat and section as far as the steps tell them."""
        with torch.autocast("cpu", enabled=False):
            heads = self.beats(steps)[:, :, 0]                       # [B][6][T/2]
        return heads.view(len(heads), 3, 2, -1).transpose(2, 3).reshape(len(heads), 3, -1)

    def forward(self, x, layers=None):
        """x: [batch][frames][81], frames a multiple of 32. Logits [batch][3][frames] and [batch][10][frames/32], and the
        steps that they are read off. layers: who computes the wide ones, if not PyTorch (layers.py)."""
        steps = self.steps(x, layers)
        context = self.branch(pooled(steps), layers)
        heads = self.fine_heads(steps)
        return torch.stack([heads[:, 0], heads[:, 1], section(heads[:, 2], context)], 1), context[:, 1:], steps


def pooled(steps):
    return F.avg_pool2d(steps, (1, POOL))


def section(fine, context):
    """[batch][frames]: the steps' own logits, of the same form, and what the coarse branch says."""
    return fine + context[:, 0].repeat_interleave(2 * POOL, dim=1)


def student_like(state):
    """A student of the width and with the coarse blocks that these weights have."""
    blocks = sum(name.startswith("coarse.") and name.endswith(".mix.weight") for name in state)
    return Student(width_of(state), coarse=COARSE[:blocks])


def width_of(state):
    return len(state["reduce.bias"])


def begin_with(model, state):
    """Takes over weights. A smaller student's, without the middle, the late and the last coarse blocks, give a model that
    says the same."""
    state = dict(state)
    if "late_norm.weight" not in state:
        state.update({"late_norm." + end: state["fine_norm." + end] for end in ("weight", "bias")})
    for name, value in model.state_dict().items():
        tower, block, *_ = name.split(".")
        if tower in ADDED or tower == "coarse" and int(block) >= FIRST_COARSE:
            state.setdefault(name, value)
    model.load_state_dict(state)
    return model


def parameters(model):
    return sum(p.numel() for p in model.parameters())


if __name__ == "__main__":
    model = Student()
    print(parameters(model), "parameters")
    print([tuple(o.shape) for o in model(torch.zeros(2, 3200, BANDS))])
