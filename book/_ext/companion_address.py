"""Addresses that follow from `repository.url` in _config.yml: the repository, the site, a page's source, Colab."""

from urllib.parse import urlsplit


def repository(config):
    """Owner and name of the repository."""
    owner, name = urlsplit(config.html_theme_options["repository_url"]).path.strip("/").split("/")
    return owner, name.removesuffix(".git")


def site(config):
    """Where GitHub Pages serves the site."""
    owner, name = repository(config)
    return f"https://{owner}.github.io/{name}/"


def colab(config, docname):
    """Where Colab opens a chapter's notebook."""
    owner, name = repository(config)
    branch = config.colab_branch
    return f"https://colab.research.google.com/github/{owner}/{name}/blob/{branch}/notebooks/{docname}.ipynb"


def source(config, docname):
    """A page's source in the repository."""
    options = config.html_theme_options
    return f"{options['repository_url']}/blob/{options.get('repository_branch') or 'main'}/{docname}.md"
