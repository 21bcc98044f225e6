"""The one place that touches the machine. Adapters turn its errors into MvtuiError and its facts into model values."""
