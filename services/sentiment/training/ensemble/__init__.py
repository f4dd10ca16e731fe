"""A training with several teachers, of which the part that takes longest runs on a machine with a GPU.

1. Here: `python -m services.sentiment.training.ensemble.prepare --data FOLDER --mpnet FOLDER --work WORK` writes all texts and
   the networks with which the training begins, as arrays. It needs the extra `training`.
2. Copy this folder, as `ensemble/`, and the arrays to the machine with the GPU. `learn` and the modules that it imports need
   PyTorch and numpy alone, and import one another relatively: `python -m ensemble.learn` works there, and in this repository
   `python -m services.sentiment.training.ensemble.learn`.
3. There, seven teachers side by side: `learn teach` with `--kind e5 --fold N` for N from 0 to 3, and with `--kind mpnet
   --fold N` for N from 0 to 2. Then `learn soften`. Then `learn distil`, and `learn look` for the figures of e5-4.
4. Copy `student_l8.pt` back. Here `finish --student student_l8.pt …` chooses the thresholds and writes e5-7.

e5-7 was made on one H200, the teachers side by side, then the students `l8`, `l6` and `thin` side by side; the time ended each
training, so that another machine takes other numbers of steps:

| step | arguments | steps |
| --- | --- | --- |
| `teach`, e5 | `--epochs 3 --rate 1.3e-4 --seconds 140` | 1500, 1494, 1501 and 1508 |
| `teach`, MPNet | `--epochs 2.5 --rate 6e-5 --decay 0.92 --seconds 140` | 1242, 1260 and 1264 |
| `distil` | `--shape l8 --epochs 12 --rate 4e-4 --batch 512 --seconds 320` | 3737 (`l6`: 4563, `thin`: 3789) |
"""
